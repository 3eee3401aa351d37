"""How much better a variant is than the control, how sure that is, and what to do about it. Pure, and from sums alone:
no row of a user comes here.

`arms.py` makes an `Arm`, a mean with its variance, of the sums that SQL gives of each variant. `effects.py` compares
two arms and says how sure the difference is, in three ways. `planning.py` says how many users that takes, and
`verdict.py` puts it in one word.

The conventions: the user is the unit of analysis, whatever the unit of the rows. An effect is the variant less the
control; the relative one is divided by the control's plain mean. Intervals and p-values are two-sided. What cannot be
known is None with the reason in words, and wrong input is an `Invalid` that names it: nobody is answered NaN or
infinity.
"""
