# SPDX-License-Identifier: MPL-2.0
# The files of 7-Zip that are compiled, in every flavor: the decoder of LZMA and the filter for x86's branches, both in the public
# domain. Small before fast: the firmware carries them beside what they unpack. unpack/unpack.c has LzmaDec.c in it.
SEVENZIP_SRCS := $(addprefix $(SRC)/7zip/C/,Bra86.c)
build/%/unpack.o: COMMON += -DZ7_LZMA_SIZE_OPT
# The filter reads words at any address where the processor can.
$(foreach f,test64 test32 fuzz,$(eval build/$(f)/%/Bra86.o: CFLAGS_$(f) += -fno-sanitize=alignment))
