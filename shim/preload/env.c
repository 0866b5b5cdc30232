// SPDX-License-Identifier: MIT
/*
 * env.c - arguments, environment, auxiliary vector and standard error at the start
 *
 * The first socket() of every program needs all of this. Searching for secure_getenv(),
 * getauxval() and program_invocation_short_name would cost 800 instructions each, so the
 * only constructor of this library keeps what the dynamic linker passes to it. The
 * constructor may run late (another library's has opened a socket) and at any time
 * (dlopen()): until then, libc is asked.
 */
#include "env.h"
#include "shim/common/str.h"
#include "symver.h"
#include "syscall.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

static char *const *arguments;
static const ElfW(auxv_t) * auxv; /* NULL: unknown */
static struct statx original_stderr;

/*
 * On the stack of a new program: arguments, NULL, environment, NULL, auxv. A program
 * may move its environment before it loads this library: then no auxv follows it.
 */
__attribute__((constructor)) static void env_keep(int argc, char **argv, char **env)
{
	bool at_start = env == argv + argc + 1;

	arguments = argv;
	for (; env && *env; env++)
		if (str_after(*env, "MPTCPADDR_LOG="))
			sys_statx(STDERR_FILENO, "", &original_stderr);
	if (at_start)
		auxv = (const void *)(env + 1);
}

static bool ask_auxv(void)
{
	const ElfW(auxv_t) *entry = auxv;
	unsigned long (*ask_libc)(unsigned long);

	if (entry) {
		/* For a secure program the dynamic linker removes variables, LD_PRELOAD
		 * among them, and moves the rest down: then NULL precedes the auxv. */
		while (entry->a_type != AT_NULL && entry->a_type != AT_SECURE)
			entry++;
		return entry->a_type == AT_NULL || entry->a_un.a_val;
	}
	ask_libc = (unsigned long (*)(unsigned long))dlsym(RTLD_DEFAULT, "getauxval");
	return !ask_libc || ask_libc(AT_SECURE);
}

bool env_is_secure(void)
{
	static _Atomic char known; /* 'n' or 'y'; racing threads find the same */
	char secure = atomic_load_explicit(&known, memory_order_relaxed);

	if (!secure) {
		secure = ask_auxv() ? 'y' : 'n';
		atomic_store_explicit(&known, secure, memory_order_relaxed);
	}
	return secure == 'y';
}

const char *env_get(const char *name)
{
	const char *rest;
	char **variable;

	if (env_is_secure())
		return NULL;
	/* Of its three names, the dynamic linker finds this one fastest. */
	for (variable = __environ; variable && *variable; variable++) {
		rest = str_after(*variable, name);
		if (rest && *rest == '=')
			return rest + 1;
	}
	return NULL;
}

const char *env_program_name(void)
{
	char **ask_libc;

	if (arguments)
		return str_base(arguments[0] ?: "");
	ask_libc = dlsym(RTLD_DEFAULT, "program_invocation_short_name");
	return ask_libc && *ask_libc ? *ask_libc : "";
}

bool env_stderr_is_original(void)
{
	struct statx now;

	return original_stderr.stx_mask && sys_statx(STDERR_FILENO, "", &now) &&
	       now.stx_ino == original_stderr.stx_ino &&
	       now.stx_dev_major == original_stderr.stx_dev_major &&
	       now.stx_dev_minor == original_stderr.stx_dev_minor;
}
