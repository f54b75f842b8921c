# SPDX-License-Identifier: MPL-2.0
# How a flavor is compiled and a program is linked, once. Who adds one names files and flags (Makefile, config/targets/*.mk):
#
#   FLAVORS          names. For a flavor F: CFLAGS_F, ASFLAGS_F (CFLAGS_F without it), the digest's files DIGEST_F, and
#                    PLATFORM_F, files that go into its libcore.a with the core
#   ELF_PROGRAMS     flat binaries build/bios/P.bin. For a program P: FILES_P, ARCHIVES_P (of core pure lwip mbed 7zip), its linker
#                    script SCRIPT_P and that one's flags SCRIPT_FLAGS_P
#   PACKED_PROGRAMS  those of them that are packed: their sections .low and .text, and LIMIT_P, the largest size (may be empty)
#   PE_FLAVORS       flavors of UEFI programs; for one F, MACHINE_F as lld-link calls it
#   PE_PROGRAMS      build/F/P of each of them. For a program P: FILES_P, FILES_P_F, ARCHIVES_P, LDFLAGS_P
#   ARTEFACTS        files in bin/ into which script and anchors are put (ARTEFACTS_ON_REQUEST: only when asked for). For one A: BARE_A, the program; SIGN_A, how it is
#                    signed for Secure Boot

# $(call objects,FLAVOR,FILES)
objects = $(patsubst %,build/$(1)/%.o,$(basename $(2)))
# $(call archives,FLAVOR,NAMES)
archives = $(patsubst %,build/$(1)/lib%.a,$(2))

define FLAVOR
build/$(1)/%.o: %.c $(SOURCES_STAMP)
	@mkdir -p $$(@D)
	@$$(if $$(V),,echo "  CC[$(1)] $$<";) $(CLANG) $$(COMMON) $$(CFLAGS_$(1)) $$(if $$(filter $(SRC)/%,$$<),-w,$(WARN)) -c -o $$@ $$<
# Without -g, unless ASFLAGS has it: clang 14 writes the folder's name into an assembly file's lines, whatever is mapped.
build/$(1)/%.o: %.S
	@mkdir -p $$(@D)
	@$(CLANG) $$(or $$(ASFLAGS_$(1)),$$(CFLAGS_$(1))) -I. -Iipxe -ffile-prefix-map=$(CURDIR)=. -MMD -MP -c -o $$@ $$<
build/$(1)/libpure.a: $(call objects,$(1),$(PURE_SRCS) $(DIGEST_$(1)))
build/$(1)/libcore.a: $(call objects,$(1),$(CORE_SRCS) $(PLATFORM_$(1)))
build/$(1)/liblwip.a: $(call objects,$(1),$(LWIP_SRCS))
build/$(1)/libmbed.a: $(call objects,$(1),$(MBEDTLS_SRCS))
build/$(1)/lib7zip.a: $(call objects,$(1),$(SEVENZIP_SRCS))
build/$(1)/lib%.a:
	@rm -f $$@; $(AR) rcsD $$@ $$^
LIBS_$(1) := $(call archives,$(1),core pure lwip mbed 7zip)
build/$(1)/ipxe/base/version.o: build/version.stamp
build/$(1)/ipxe/base/version.o: COMMON += $$(VERSION_FLAGS)
endef

# Functions, and ends of texts, that are the same lie there once. What is called more than once becomes part of its callers only where
# they lie in one file: among files that makes the packed program 2,390 bytes larger, and saves 0.3 % of a download's instructions.
ELF_LINK := ld.lld -m elf_i386 -O2 -mllvm -inline-threshold=-20 --icf=safe --gc-sections -z norelro -z max-page-size=16 --no-dynamic-linker --build-id=none
define ELF_PROGRAM
build/bios/$(1).lds: $(SCRIPT_$(1)) config/flavors.mk $(wildcard config/targets/*.mk)
	@mkdir -p $$(@D)
	@$(CLANG) $$(ASFLAGS_bios) -E -P -MMD -MP -MF $$@.d -MT $$@ -x assembler-with-cpp -Ui386 -I. -Iipxe $(SCRIPT_FLAGS_$(1)) -o $$@ $$<
build/bios/$(1).elf: build/bios/$(1).lds $(call objects,bios,$(FILES_$(1))) $(call archives,bios,$(ARCHIVES_$(1)))
	@$(ELF_LINK) -T $$< -Map $$(@:.elf=.map) -o $$@ $$(filter %.o,$$^) --start-group $$(filter %.a,$$^) --end-group
endef
define FLAT_PROGRAM
build/bios/$(1).bin: build/bios/$(1).elf
	@llvm-objcopy -O binary $$< $$@
endef
define PACKED_PROGRAM
build/bios/$(1).bin: build/bios/$(1).elf build/bios/unpacker.bin config/targets/pack
	@llvm-objcopy -O binary -j .low $$< $$@.low
	@llvm-objcopy -O binary -j .text $$< $$@.high
	@config/targets/pack $$@.low $$@.high build/bios/unpacker.bin $$@ $(LIMIT_$(1))
endef

PE_LINK := lld-link /nodefaultlib /opt:ref /timestamp:0
define PE_PROGRAM
build/$(1)/$(2): $(call objects,$(1),$(FILES_$(2)) $(FILES_$(2)_$(1))) $(call archives,$(1),$(ARCHIVES_$(2)))
	@$(PE_LINK) /machine:$(MACHINE_$(1)) $$(LDFLAGS_$(2)) /out:$$@ $$^
endef

# `make SB_KEY=db.key SB_CERT=db.pem` signs for Secure Boot, behind the embedding: a change of either makes a new file.
build/sign.stamp: FORCE
	@mkdir -p build; echo '$(SB_KEY) $(SB_CERT)' | cmp -s - $@ || echo '$(SB_KEY) $(SB_CERT)' >$@
define ARTEFACT
bin/$(1): $(BARE_$(1)) bin/signet $(EMBED_INPUTS) $(if $(SIGN_$(1)),build/sign.stamp $(SB_KEY) $(SB_CERT))
	@mkdir -p bin
	bin/signet embed $(EMBED_FLAGS) $$< -o $$@
	$(if $(SB_KEY),$$(SIGN_$(1)))
endef

$(foreach f,$(FLAVORS),$(eval $(call FLAVOR,$(f))))
$(foreach p,$(ELF_PROGRAMS),$(eval $(call ELF_PROGRAM,$(p))))
$(foreach p,$(filter-out $(PACKED_PROGRAMS),$(ELF_PROGRAMS)),$(eval $(call FLAT_PROGRAM,$(p))))
$(foreach p,$(PACKED_PROGRAMS),$(eval $(call PACKED_PROGRAM,$(p))))
$(foreach f,$(PE_FLAVORS),$(foreach p,$(PE_PROGRAMS),$(eval $(call PE_PROGRAM,$(f),$(p)))))
$(foreach a,$(ARTEFACTS) $(ARTEFACTS_ON_REQUEST),$(eval $(call ARTEFACT,$(a))))
FIRMWARE += $(addprefix bin/,$(ARTEFACTS))
