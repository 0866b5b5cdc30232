// SPDX-License-Identifier: MIT
/*
 * other_copy.c - another copy of this library in the process
 *
 * For instance /etc/ld.so.preload besides LD_PRELOAD, or an installed version and a local
 * build. The hooks chain; the first copy in the order of loading manages the process. The
 * file may have any name: DT_SONAME identifies it.
 */
#include "other_copy.h"
#include "log_request.h"
#include "mode.h"
#include "shim/common/str.h"
#include "symver.h"

#include <dlfcn.h>
#include <link.h>

#define SONAME "libmptcpaddr.so"

typedef int (*iterate_fn)(int (*)(struct dl_phdr_info *, size_t, void *), void *);

static const void *find_dynamic(const struct dl_phdr_info *info)
{
	int i;

	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			return (void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return NULL;
}

static bool is_copy(const struct dl_phdr_info *info)
{
	const ElfW(Dyn) *d = find_dynamic(info);
	const char *name;
	ElfW(Addr) table = 0, offset = 0;

	for (; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_STRTAB)
			table = d->d_un.d_ptr;
		if (d->d_tag == DT_SONAME)
			offset = d->d_un.d_val;
	}
	if (!table || !offset)
		return false;
	/* Some dynamic linkers, and all for the vDSO, leave the address unrelocated. */
	name = (const char *)table + offset;
	if (table < info->dlpi_addr)
		name += info->dlpi_addr;
	return str_equal(name, SONAME);
}

/* Stop at the first copy. */
static int find_copy(struct dl_phdr_info *info, size_t size, void *arg)
{
	if (!is_copy(info))
		return 0;
	*(struct dl_phdr_info *)arg = *info;
	return 1;
}

static bool find_first(struct dl_phdr_info *ret_first)
{
	/* By name: each symbol costs every exec. */
	const iterate_fn iterate = (iterate_fn)dlsym(RTLD_DEFAULT, "dl_iterate_phdr");
	Dl_info self;

	return iterate && iterate(find_copy, ret_first) && dladdr(find_copy, &self) &&
	       (ElfW(Addr))self.dli_fbase != ret_first->dlpi_addr;
}

bool other_copy_is_first(void)
{
	static _Atomic char known; /* 'y' or 'n'; racing threads find the same */
	struct dl_phdr_info first;
	char found;

	if (known)
		return known == 'y';
	found = find_first(&first) ? 'y' : 'n';
	if (found == 'y')
		mode_turn_off();
	if (!atomic_exchange(&known, found) && found == 'y')
		log_request_print(LOG_LEVEL_WARNING,
				  "this copy of the library is inert: the first one is ",
				  first.dlpi_name);
	return found == 'y';
}
