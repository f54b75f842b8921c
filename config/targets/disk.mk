# SPDX-License-Identifier: MPL-2.0
# mbr.bin and bootarea.bin: Signet from a disk that a BIOS boots (doc/boot-area.md). bootarea.bin is the stage and behind
# it the firmware of undionly.kpxe, linked so that `signet embed` sees one file.

DISK_LINK = ld.lld -m elf_i386 --gc-sections -z norelro -z max-page-size=16 --no-dynamic-linker --build-id=none
build/bios/mbr/%.lds: mbr/%.lds.S mbr/layout.h
	@mkdir -p $(@D)
	@$(CLANG) $(BIOS_TARGET) -E -P -x assembler-with-cpp -Ui386 -I. -o $@ $<
build/bios/mbr.elf: build/bios/mbr/mbr.lds build/bios/mbr/mbr.o build/bios/ipxe/real/print.o
	@$(DISK_LINK) -T $^ -o $@
build/bios/stage.elf: build/bios/mbr/stage.lds build/bios/mbr/stage.o build/bios/mbr/stage_main.o \
		$(patsubst %,build/bios/ipxe/real/%.o,real int mode print) build/bios/libpure.a \
		build/bios/libmbed.a $(patsubst %.c,build/bios/%.o,$(BIOS_LIBC))
	@$(DISK_LINK) -Map build/bios/stage.map -T $< $(filter %.o,$^) --start-group $(filter %.a,$^) --end-group -o $@
build/bios/%.bin: build/bios/%.elf
	@llvm-objcopy -O binary $< $@

build/bios/bootarea.lds: ipxe/bios/bios.lds.S config/targets/disk.mk ipxe/bios/layout.h
	@mkdir -p $(@D)
	@$(CLANG) $(BIOS_TARGET) -E -P -x assembler-with-cpp -Ui386 -Iipxe -DFILE_PREFIX=16384 -o $@ $<
build/bios/bootarea.elf: build/bios/bootarea.lds $(BIOS_OBJS) $(BIOS_LIBS)
	@$(subst bios.lds,bootarea.lds,$(BIOS_LINK)) $(BIOS_OBJS) --start-group $(BIOS_LIBS) --end-group
build/bios/bootarea.bare: build/bios/stage.bin build/bios/bootarea.elf
	@llvm-objcopy -O binary build/bios/bootarea.elf $@.nbp
	@cat build/bios/stage.bin $@.nbp >$@

bin/bootarea.bin: build/bios/bootarea.bare bin/signet $(EMBED_INPUTS)
	@mkdir -p bin
	bin/signet embed $(EMBED_FLAGS) $< -o $@
bin/mbr.bin: build/bios/mbr.bin
	@mkdir -p bin
	cp $< $@

FIRMWARE += bin/mbr.bin bin/bootarea.bin
