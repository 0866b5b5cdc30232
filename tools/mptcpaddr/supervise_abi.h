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
};

#define NO_CALL UINT32_MAX

struct supervise_abi {
	uint32_t arch, socket, connect, listen, socketcall;
};

static const struct supervise_abi supervise_abis[] = {
#if defined(__x86_64__)
	{ AUDIT_ARCH_X86_64, 41, 42, 50, NO_CALL },
	{ AUDIT_ARCH_I386, 359, 362, 363, 102 },
#elif defined(__i386__)
	{ AUDIT_ARCH_I386, 359, 362, 363, 102 },
#elif defined(__aarch64__)
	{ AUDIT_ARCH_AARCH64, 198, 203, 201, NO_CALL },
	{ AUDIT_ARCH_ARM, 281, 283, 284, NO_CALL },
#elif defined(__arm__)
	{ AUDIT_ARCH_ARM, 281, 283, 284, NO_CALL },
#elif defined(__riscv) && __riscv_xlen == 64
	{ AUDIT_ARCH_RISCV64, 198, 203, 201, NO_CALL },
#elif defined(__s390x__)
	{ AUDIT_ARCH_S390X, 359, 362, 363, 102 },
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	{ AUDIT_ARCH_PPC64LE, 326, 328, 329, 102 },
#endif
	{ 0, NO_CALL, NO_CALL, NO_CALL, NO_CALL }, /* no machine's: also for others */
};

#define N_SUPERVISE_ABIS (sizeof(supervise_abis) / sizeof(*supervise_abis) - 1)
