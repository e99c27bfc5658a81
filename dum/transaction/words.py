"""The states and events of the four figures, in the RFC's words; plain strings, so that threads do not share them.

`R` is a response that arrived, `TU` a response that the transaction user wants sent; what follows is its class.
"""

CALLING = "Calling"
TRYING = "Trying"
PROCEEDING = "Proceeding"
COMPLETED = "Completed"
ACCEPTED = "Accepted"
CONFIRMED = "Confirmed"
TERMINATED = "Terminated"

R1XX = "R1XX"
R2XX = "R2XX"
R3XX_6XX = "R3XX_6XX"
R2XX_6XX = "R2XX_6XX"

INVITE = "INVITE"
ACK = "ACK"
REQUEST = "REQUEST"

TU_1XX = "TU_1XX"
TU_2XX = "TU_2XX"
TU_3XX_6XX = "TU_3XX_6XX"
TU_2XX_6XX = "TU_2XX_6XX"

TIMER_A = "TIMER_A"
TIMER_B = "TIMER_B"
TIMER_D = "TIMER_D"
TIMER_E = "TIMER_E"
TIMER_F = "TIMER_F"
TIMER_G = "TIMER_G"
TIMER_H = "TIMER_H"
TIMER_I = "TIMER_I"
TIMER_J = "TIMER_J"
TIMER_K = "TIMER_K"
TIMER_L = "TIMER_L"
TIMER_M = "TIMER_M"

TRANSPORT_ERROR = "TRANSPORT_ERROR"
