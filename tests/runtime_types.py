"""Are the declared shapes and types true when the tests run?"""

from beartype import BeartypeConf, beartype

# an int is a fine float (PEP 484's numeric tower), as every user expects
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
