# SPDX-License-Identifier: MPL-2.0
# undionly.kpxe: the BIOS firmware that a PXE ROM loads (i686, freestanding; doc/bios.md).

BIOS_TARGET := --target=i686-unknown-none-elf -march=i686
# Optimized as a whole when it is linked, as the UEFI files are, and for size before all else: the ROM loads the file into
# base memory. What runs for each frame or each byte stays with -Os, which is the faster of the two.
BIOS_HOT := ipxe/base/checksum.c ipxe/base/libc/% ipxe/bios/undi% ipxe/bios/pxe.c ipxe/bios/clock.c ipxe/core/p2.c ipxe/core/wait.c \
	ipxe/crypto/digest% ipxe/crypto/hashboard.c ipxe/net/% ipxe/phase2/client% ipxe/phase2/wire.c ipxe/proto/datagram.c \
	$(addprefix $(SRC)/mbedtls/library/,sha256.c bignum_core.c) \
	$(addprefix $(SRC)/lwip/src/%/,ethernet.c ip4.c pbuf.c tcp_in.c timeouts.c udp.c)
BIOS_CFLAGS := $(BIOS_TARGET) -flto -ffreestanding -fno-builtin-bcmp -nostdlibinc -isystem ipxe/base/libc -fno-pic \
	-fno-stack-protector -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffunction-sections -fdata-sections -mno-sse -mno-mmx -mno-80387 -fno-common -DTPM_AND_VARIABLES=0
BIOS_DOOR := $(call not-tests,$(wildcard ipxe/bios/*.c ipxe/real/*.c))
BIOS_LIBC := $(wildcard ipxe/base/libc/*.c)
BIOS_ASM := $(filter-out %.lds.S,$(wildcard ipxe/bios/*.S ipxe/real/*.S))
BIOS_OBJS := $(patsubst %.S,build/bios/%.o,$(BIOS_ASM)) $(patsubst %.c,build/bios/%.o,$(BIOS_DOOR) $(BIOS_LIBC))
BIOS_LIBS := build/bios/libcore.a build/bios/libpure.a build/bios/liblwip.a build/bios/libmbed.a

build/bios/%.o: %.c $(SOURCES_STAMP)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC[bios] $<";) $(CLANG) $(COMMON) $(BIOS_CFLAGS) $(if $(filter $(BIOS_HOT),$<),-Os,-Oz) $(if $(filter $(SRC)/%,$<),-w,$(WARN)) -c -o $@ $<
build/bios/%.o: %.S
	@mkdir -p $(@D)
	@$(CLANG) $(BIOS_TARGET) -I. -Iipxe -g -ffile-prefix-map=$(CURDIR)=. -MMD -MP -c -o $@ $<
build/bios/bios.lds: ipxe/bios/bios.lds.S config/targets/bios.mk ipxe/bios/layout.h
	@mkdir -p $(@D)
	@$(CLANG) $(BIOS_TARGET) -E -P -x assembler-with-cpp -Ui386 -Iipxe -o $@ $<
build/bios/libpure.a: $(patsubst %.c,build/bios/%.o,$(PURE_SRCS) $(DIGEST_x86))
build/bios/libcore.a: $(patsubst %.c,build/bios/%.o,$(CORE_SRCS))
build/bios/liblwip.a: $(patsubst %.c,build/bios/%.o,$(LWIP_SRCS))
build/bios/libmbed.a: $(patsubst %.c,build/bios/%.o,$(MBEDTLS_SRCS))
build/bios/lib%.a:
	@rm -f $@; $(AR) rcsD $@ $^
build/bios/ipxe/base/version.o: build/version.stamp
build/bios/ipxe/base/version.o: COMMON += $(VERSION_FLAGS)

BIOS_LINK = ld.lld -m elf_i386 --gc-sections -z norelro -z max-page-size=16 --no-dynamic-linker --build-id=none \
	-T build/bios/bios.lds -Map $(@:.elf=.map) -o $@
build/bios/undionly.elf: build/bios/bios.lds $(BIOS_OBJS) $(BIOS_LIBS)
	@$(BIOS_LINK) $(BIOS_OBJS) --start-group $(BIOS_LIBS) --end-group
build/bios/undionly.bare: build/bios/undionly.elf
	@llvm-objcopy -O binary $< $@
bin/undionly.kpxe: build/bios/undionly.bare bin/signet $(EMBED_INPUTS)
	@mkdir -p bin
	bin/signet embed $(EMBED_FLAGS) $< -o $@

# The door alone, with a core that tries each of its calls (ci/qemu/doortest runs it).
DOORTEST_OBJS := $(BIOS_OBJS) $(patsubst %.c,build/bios/%.o,ipxe/bios/doortest/doortest.c \
	$(DIGEST_x86) $(patsubst %,ipxe/%.c,block/block block/bootslot block/slothead image/acpi image/bzimage image/optrom image/smbios) \
	$(filter ipxe/base/% ipxe/crypto/%,$(PURE_SRCS)))
build/bios/doortest.elf: build/bios/bios.lds $(DOORTEST_OBJS) build/bios/libmbed.a
	@$(BIOS_LINK) $(DOORTEST_OBJS) build/bios/libmbed.a
build/bios/doortest.kpxe: build/bios/doortest.elf
	@llvm-objcopy -O binary $< $@

FIRMWARE += bin/undionly.kpxe build/bios/doortest.kpxe
