# SPDX-License-Identifier: MPL-2.0
# The files of Mbed TLS that are compiled, in every flavor: SHA-2, MD5 and signature verification only.
# asn1write.c serves the signing half of ecdsa.c, which the firmware's linker drops.
MBEDTLS_SRCS := $(addprefix $(SRC)/mbedtls/library/,\
	asn1parse.c asn1write.c bignum.c bignum_core.c constant_time.c ecdsa.c ecp.c ecp_curves.c md5.c platform_util.c \
	sha256.c sha512.c)
