/* SPDX-License-Identifier: MIT */
/*
 * supervise_abi.h - numbers of the reported system calls, by ABI
 */
#pragma once

#include <linux/audit.h>
#include <stdint.h>
#include <sys/syscall.h>

enum {
	SOCKETCALL_SOCKET = 1,
	SOCKETCALL_CONNECT = 3,
	SOCKETCALL_LISTEN = 4,
	SOCKETCALL_SETSOCKOPT = 14,
};

#define NO_CALL UINT32_MAX

struct supervise_abi {
	uint32_t arch, socket, connect, listen, setsockopt, socketcall;
};

static const struct supervise_abi supervise_abis[] = {
#if defined(__x86_64__)
	{ AUDIT_ARCH_X86_64, 41, 42, 50, 54, NO_CALL },
	{ AUDIT_ARCH_I386, 359, 362, 363, 366, 102 },
#elif defined(__i386__)
	{ AUDIT_ARCH_I386, 359, 362, 363, 366, 102 },
#elif defined(__aarch64__)
	{ AUDIT_ARCH_AARCH64, 198, 203, 201, 208, NO_CALL },
	{ AUDIT_ARCH_ARM, 281, 283, 284, 294, NO_CALL },
#elif defined(__arm__)
	{ AUDIT_ARCH_ARM, 281, 283, 284, 294, NO_CALL },
#elif defined(__riscv) && __riscv_xlen == 64
	{ AUDIT_ARCH_RISCV64, 198, 203, 201, 208, NO_CALL },
#elif defined(__s390x__)
	{ AUDIT_ARCH_S390X, 359, 362, 363, 366, 102 },
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	{ AUDIT_ARCH_PPC64LE, 326, 328, 329, 339, 102 },
#endif
	{ 0, NO_CALL, NO_CALL, NO_CALL, NO_CALL,
	  NO_CALL }, /* no machine's: also for others */
};

#define N_SUPERVISE_ABIS (sizeof(supervise_abis) / sizeof(*supervise_abis) - 1)
