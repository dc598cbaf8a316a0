"""How a row of the operator table is written, read, called, recorded, batched and published.

`table` says what a row is, `readings` and `syntax` how its formulas are read, `dispatch` and `shortcuts` how a call
becomes a result, `nodes` what is recorded, `writes` what in-place operators do, `public` what users see.
"""
