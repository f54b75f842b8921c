# SPDX-License-Identifier: MPL-2.0
# undionly.kpxe: the BIOS firmware that a PXE ROM loads (i686, freestanding; doc/bios.md).

FLAVORS += bios
ASFLAGS_bios := --target=i686-unknown-none-elf -march=i686
# Optimized as a whole when it is linked, as the UEFI files are, and for size before all else: the ROM loads the file into
# base memory. What runs for each frame or each byte stays with -Os, which is the faster of the two.
BIOS_HOT := ipxe/base/checksum.c ipxe/base/libc/% $(addprefix ipxe/bios/,clock.c native.c pxe.c undi_frames.c) $(addprefix ipxe/drivers/,e1000.c virtio_net.c vmxnet3.c) ipxe/core/p2.c \
	ipxe/core/wait.c ipxe/crypto/digest% ipxe/crypto/hashboard.c $(addprefix ipxe/net/,answers.c frames.c netif.c tcp.c udp.c) \
	$(addprefix ipxe/phase2/client,.c _flow.c _space.c _window.c) ipxe/phase2/intake% ipxe/phase2/wire.c ipxe/proto/datagram.c \
	$(addprefix $(SRC)/mbedtls/library/,sha256.c bignum_core.c) \
	$(addprefix $(SRC)/lwip/src/%/,ethernet.c ip4.c pbuf.c tcp_in.c timeouts.c udp.c)
# No tables of the curves' base points (ECP_TABLES): a signature on P-256 takes 43 million instructions instead of 30, on P-384 101 instead of
# 69, and a boot verifies one or two; the packed file is 4,444 bytes smaller.
CFLAGS_bios = $(ASFLAGS_bios) -flto -ffreestanding -fno-builtin-bcmp -nostdlibinc -isystem ipxe/base/libc -fno-pic \
	-fno-stack-protector -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffunction-sections -fdata-sections -mno-sse -mno-mmx -mno-80387 -fno-common -DTPM_AND_VARIABLES=0 -DLISTING_AT_SHELL=0 -DSLEEPS_BY_DEADLINE=0 -DDHCPV6=0 -DECP_TABLES=0 $(if $(filter $(BIOS_HOT),$<),-Os,-Oz)
DIGEST_bios := $(DIGEST_x86)
# The largest bare file. With everything up to option ROMs and boot programs it had 163,051 bytes, 0.65 times what it was before it was packed;
# iPXE's language, detached seals and menus came behind that. Who comes near it takes something away, or says here why it is worth more.
NBP_LIMIT := 190000
BIOS_FILES := $(filter-out %.lds.S,$(wildcard ipxe/bios/*.S ipxe/real/*.S)) $(call not-tests,$(wildcard ipxe/bios/*.c ipxe/real/*.c)) $(LIBC_SRCS)

# What unpacks the others: a program of its own, at an address of its own.
ELF_PROGRAMS += unpacker
FILES_unpacker := ipxe/bios/unpacker/unpacker.c $(LIBC_SRCS)
ARCHIVES_unpacker := pure 7zip
SCRIPT_unpacker := ipxe/bios/unpacker/unpacker.lds.S

ELF_PROGRAMS += undionly
PACKED_PROGRAMS += undionly
LIMIT_undionly := $(NBP_LIMIT)
FILES_undionly := $(BIOS_FILES)
ARCHIVES_undionly := core pure lwip mbed
SCRIPT_undionly := ipxe/bios/bios.lds.S
ARTEFACTS += undionly.kpxe
BARE_undionly.kpxe := build/bios/undionly.bin

# The door alone, with a core that tries each of its calls (ci/qemu/doortest runs it).
ELF_PROGRAMS += doortest
PACKED_PROGRAMS += doortest
FILES_doortest := $(BIOS_FILES) $(wildcard ipxe/bios/doortest/*.[cS])
ARCHIVES_doortest := core pure mbed
SCRIPT_doortest := ipxe/bios/bios.lds.S
FIRMWARE += build/bios/doortest.bin

# A network bootstrap program that tries what PXE promises to one (ci/qemu/table_nbp.py runs it).
ELF_PROGRAMS += nbptest
FILES_nbptest := $(wildcard ipxe/bios/nbptest/*.c) ipxe/bios/nbptest/nbptest.S ipxe/bios/nbptest/kept.S ipxe/bios/shift64.S $(patsubst %,ipxe/real/%,a20.S int.S mode.S print.S real.c) $(LIBC_SRCS)
ARCHIVES_nbptest := pure mbed
SCRIPT_nbptest := ipxe/bios/nbptest/nbptest.lds.S
FIRMWARE += build/bios/nbptest.bin

# In front of the program in a card's flash; config/targets/rom puts both together.
ELF_PROGRAMS += rom
FILES_rom := ipxe/bios/rom/rom.S ipxe/bios/rom/read.S ipxe/real/print.S
SCRIPT_rom := ipxe/bios/rom/rom.lds.S
