# SPDX-License-Identifier: MPL-2.0
# The files of Mbed TLS that are compiled, in every flavor: signature verification only.
MBEDTLS_SRCS := $(addprefix $(SRC)/mbedtls/library/,\
	asn1parse.c bignum.c bignum_core.c bignum_mod.c bignum_mod_raw.c constant_time.c ecdsa.c ecp.c ecp_curves.c \
	ecp_curves_new.c platform_util.c sha256.c sha512.c)
