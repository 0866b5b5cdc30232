// SPDX-License-Identifier: MIT
/*
 * elf.c - read from an ELF file which libraries its program can load
 *
 * The file may be damaged or hostile: every count in it is limited.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX 4096    /* segments, sections, entries of the dynamic section */
#define SYMBOLS_MAX 1000000 /* dynamic ones */

/* Servers that start as root, and go on as another user, set that user's groups. */
static bool imports_groups(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	const char *name;
	GElf_Sym symbol;
	int n;

	for (n = 0; data && n < SYMBOLS_MAX && gelf_getsym(data, n, &symbol); n++) {
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (name && (!strcmp(name, "initgroups") || !strcmp(name, "setgroups")))
			return true;
	}
	return false;
}

/* Go 1.13 and later; the build ID of a PT_NOTE may be left out. */
static void read_sections(Elf *elf, struct binary *ret)
{
	Elf_Scn *section = NULL;
	const char *name;
	GElf_Shdr header;
	size_t names;
	int n;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return;
	for (n = 0; n < ENTRIES_MAX && (section = elf_nextscn(elf, section)); n++) {
		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		ret->go |= name && !strcmp(name, ".go.buildinfo");
		if (header.sh_type == SHT_DYNSYM)
			ret->sets_groups |= imports_groups(elf, section, &header);
	}
}

/* An executable with a DT_SONAME but without a dynamic linker is one itself. */
static bool has_soname(Elf *elf, const GElf_Phdr *phdr)
{
	Elf_Data *data =
		elf_getdata_rawchunk(elf, phdr->p_offset, phdr->p_filesz, ELF_T_DYN);
	GElf_Dyn entry;
	int n;

	for (n = 0; data && n < ENTRIES_MAX && gelf_getdyn(data, n, &entry); n++)
		if (entry.d_tag == DT_SONAME)
			return true;
	return false;
}

static void read_segments(int fd, Elf *elf, struct binary *ret)
{
	GElf_Phdr phdr;
	size_t n = 0, i;

	if (elf_getphdrnum(elf, &n) < 0)
		return;
	for (i = 0; i < n && i < ENTRIES_MAX && gelf_getphdr(elf, i, &phdr); i++) {
		if (phdr.p_type == PT_DYNAMIC)
			ret->loads_libraries |= has_soname(elf, &phdr);
		if (phdr.p_type != PT_INTERP)
			continue;
		ret->loads_libraries = true;
		memset(ret->linker, 0, sizeof(ret->linker));
		if (phdr.p_filesz >= sizeof(ret->linker) ||
		    pread(fd, ret->linker, phdr.p_filesz, phdr.p_offset) < 0)
			ret->linker[0] = '\0';
	}
}

int binary_read(const char *path, struct binary *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r = -ENOEXEC;
	GElf_Ehdr header;
	Elf *elf;

	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header)) {
		*ret = (struct binary){ .class = header.e_ident[EI_CLASS],
					.data = header.e_ident[EI_DATA],
					.machine = header.e_machine };
		read_sections(elf, ret);
		read_segments(fd, elf, ret);
		r = 0;
	}
	elf_end(elf);
	close(fd);
	return r;
}

bool binary_same_kind(const struct binary *a, const struct binary *b)
{
	return a->class == b->class && a->data == b->data && a->machine == b->machine;
}

bool binary_runs_beside(const struct binary *binary, const struct binary *other)
{
	return (binary->machine == EM_386 && other->machine == EM_X86_64) ||
	       (binary->machine == EM_ARM && other->machine == EM_AARCH64);
}

const char *binary_kind(const struct binary *binary, char text[static BINARY_KIND_MAX])
{
	static const struct {
		int machine;
		const char *name;
	} names[] = {
		{ EM_386, "x86" },	{ EM_X86_64, "x86-64" },
		{ EM_ARM, "Arm" },	{ EM_AARCH64, "AArch64" },
		{ EM_RISCV, "RISC-V" }, { EM_PPC64, "PowerPC" },
		{ EM_S390, "S/390" },	{ EM_MIPS, "MIPS" },
		{ EM_PPC, "PowerPC" },
	};
	const int bits = binary->class == ELFCLASS64 ? 64 : 32;
	size_t i;

	snprintf(text, BINARY_KIND_MAX, "%d-bit machine %d", bits, binary->machine);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].machine == binary->machine)
			snprintf(text, BINARY_KIND_MAX, "%d-bit %s", bits, names[i].name);
	return text;
}

const char *binary_foreign_libc(const struct binary *binary)
{
	const char *name = basename(binary->linker);

	if (!strncmp(name, "ld-linux", 8) || !strncmp(name, "ld64.so", 7) ||
	    !strncmp(name, "ld.so", 5))
		name = "glibc";
	else if (!strncmp(name, "ld-musl-", 8))
		name = "musl";
	return *name && strcmp(name, OWN_LIBC) != 0 ? name : NULL;
}
