/* SPDX-License-Identifier: MIT */
/*
 * nla.h - netlink attributes must be as long as what is read from them
 *
 * libnl does not check that, and is not built with AddressSanitizer. The linker sends its
 * functions here (--wrap).
 */
#pragma once

#include "fuzz.h"

#include <netlink/attr.h>

#define CHECKED(type, name)                                                       \
	type __real_nla_get_##name(const struct nlattr *);                        \
	type __wrap_nla_get_##name(const struct nlattr *);                        \
	type __wrap_nla_get_##name(const struct nlattr *attr)                     \
	{                                                                         \
		fuzz_check(nla_len(attr) >= (int)sizeof(type), "a short " #name); \
		return __real_nla_get_##name(attr);                               \
	}

CHECKED(uint8_t, u8)
CHECKED(uint16_t, u16)
CHECKED(uint32_t, u32)
CHECKED(uint64_t, u64)
