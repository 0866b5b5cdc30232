// SPDX-License-Identifier: MIT
/*
 * deny.c - run a program for which some calls are refused:
 *          deny FAMILY PROTOCOL ERRNO PROGRAM...
 *
 * A seccomp filter, like a sandbox's, makes socket(FAMILY, ..., PROTOCOL) fail with
 * ERRNO.
 * "-" for FAMILY or PROTOCOL: any. "#NUMBER" for FAMILY: that call instead.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* Continue if the masked value is @value; else skip some statements. */
#define MASK(mask)	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))

int main(int argc, char *argv[])
{
	const bool call = argc > 1 && argv[1][0] == '#';
	const unsigned int any_family = call || (argc > 1 && !strcmp(argv[1], "-"));
	const unsigned int any_protocol = argc > 2 && !strcmp(argv[2], "-");
	struct sock_filter code[] = {
		LOAD(nr),
		UNLESS(call ? atoi(argv[1] + 1) : SYS_socket, 7),
		LOAD(args[0]), /* the low half: little endian */
		MASK(any_family ? 0 : ~0u),
		UNLESS(any_family || argc < 2 ? 0 : atoi(argv[1]), 4),
		LOAD(args[2]),
		MASK(any_protocol ? 0 : ~0u),
		UNLESS(any_protocol || argc < 3 ? 0 : atoi(argv[2]), 1),
		BPF_STMT(BPF_RET | BPF_K,
			 SECCOMP_RET_ERRNO | (argc > 3 ? atoi(argv[3]) : 0)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	if (argc < 5)
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
		perror("seccomp");
		return 125;
	}
	execvp(argv[4], argv + 4);
	perror(argv[4]);
	return 127;
}
