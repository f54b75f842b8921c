# SPDX-License-Identifier: MPL-2.0
# mbr.bin and bootarea.bin: Signet from a disk that a BIOS boots (doc/boot-area.md). bootarea.bin is the stage and behind
# it the firmware of undionly.kpxe, linked so that `signet embed` sees one file.

ELF_PROGRAMS += mbr stage nbp
PACKED_PROGRAMS += nbp
LIMIT_nbp := $(NBP_LIMIT)
FILES_mbr := mbr/mbr.S ipxe/real/print.S
SCRIPT_mbr := mbr/mbr.lds.S
FILES_stage := mbr/stage.S mbr/stage_main.c $(patsubst %,ipxe/real/%,real.c int.S mode.S print.S) $(LIBC_SRCS)
ARCHIVES_stage := pure mbed
SCRIPT_stage := mbr/stage.lds.S
FILES_nbp := $(FILES_undionly)
ARCHIVES_nbp := $(ARCHIVES_undionly)
SCRIPT_nbp := $(SCRIPT_undionly)
SCRIPT_FLAGS_nbp := -DFILE_PREFIX=16384

build/bios/bootarea.bare: build/bios/stage.bin build/bios/nbp.bin
	@cat $^ >$@
ARTEFACTS += bootarea.bin
BARE_bootarea.bin := build/bios/bootarea.bare

bin/mbr.bin: build/bios/mbr.bin
	@mkdir -p bin
	cp $< $@
FIRMWARE += bin/mbr.bin
