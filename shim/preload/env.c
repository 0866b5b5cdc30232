// SPDX-License-Identifier: MIT
/*
 * env.c - name, environment, auxiliary vector and standard error at the start
 *
 * Programs overwrite or empty their arguments and environment before the first socket()
 * (titles, setproctitle(), nginx's workers), so the only constructor of this library
 * copies what it needs of them. It also keeps what the dynamic linker passes to it:
 * searching for secure_getenv(), getauxval() and program_invocation_short_name would cost
 * 800 instructions each. The constructor may run late (another library's has opened a
 * socket) and at any time (dlopen()): then the first caller copies, and asks libc.
 */
#include "env.h"
#include "shim/common/str.h"
#include "symver.h"
#include "syscall.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <sys/auxv.h>

#define NAME_SIZE  256	/* longer names have no pool file */
#define VALUE_SIZE 1088 /* longer than any accepted path */

static const ElfW(auxv_t) * auxv; /* NULL: unknown */
static struct statx original_stderr;
static _Atomic bool copied;
static bool sockets; /* the environment names inherited ones */
static char program[NAME_SIZE];
static const char *values[ENV_VARIABLES]; /* in `texts`; NULL: not set */
/* Mostly unused: behind all other variables, which then share a page (data.ld). */
static char texts[ENV_VARIABLES * VALUE_SIZE] __attribute__((section(".data_last")));

static const char names[ENV_VARIABLES][20] = {
	[ENV_HOME] = "HOME=",
	[ENV_XDG_CONFIG_HOME] = "XDG_CONFIG_HOME=",
	[ENV_CONFIG] = "MPTCPADDR_CONFIG=",
	[ENV_DISABLE] = "MPTCPADDR_DISABLE=",
	[ENV_BACKEND] = "MPTCPADDR_BACKEND=",
	[ENV_LOG] = "MPTCPADDR_LOG=",
	[ENV_XDG_STATE_HOME] = "XDG_STATE_HOME=",
};

/* Eight bytes at a time, which may be behind the NUL, but not on the next page. */
__attribute__((no_sanitize("address"))) static size_t text_len(const char *text)
{
	size_t len = 0;
	uint64_t eight;

	for (; ((uintptr_t)(text + len) & 4095) <= 4096 - 8; len += 8) {
		memcpy(&eight, text + len, 8);
		if (str_zeros(eight))
			break;
	}
	while (text[len])
		len++;
	return len;
}

/* Return: behind the NUL in @to. */
static char *copy_text(char *to, size_t size, const char *from, size_t len)
{
	const char *end = from + (len < size ? len : size - 1);

	for (; end - from >= 8; from += 8, to += 8)
		memcpy(to, from, 8);
	while (from < end)
		*to++ = *from++;
	*to++ = '\0';
	return to;
}

/* Chromium starts its processes as /proc/self/exe. Return: @name, or that file. */
static const char *follow_exe_link(const char *name, char path[PATH_MAX])
{
	static const char deleted[] = " (deleted)"; /* replaced by an upgrade */
	const size_t tail = sizeof(deleted) - 1;
	long n;

	if (!str_after(name, "/proc/"))
		return name;
	n = syscall(SYS_readlinkat, AT_FDCWD, name, path, PATH_MAX - 1);
	if (n <= 0)
		return name;
	path[n] = '\0';
	if ((size_t)n > tail && str_equal(path + n - tail, deleted))
		path[n - tail] = '\0';
	return path;
}

static void copy_program(const char *name)
{
	char path[PATH_MAX];
	size_t len, at;

	name = follow_exe_link(name, path);
	len = at = text_len(name);

	while (at && name[at - 1] != '/')
		at--;
	copy_text(program, sizeof(program), name + at, len - at);
}

static char *copy_variable(char *to, const char *text)
{
	const char *value;
	unsigned int i;

	for (i = 0; i < ENV_VARIABLES; i++) {
		value = str_after(text, names[i]);
		if (!value || values[i])
			continue;
		values[i] = to;
		if (i == ENV_LOG)
			sys_statx(STDERR_FILENO, "", &original_stderr);
		return copy_text(to, VALUE_SIZE, value, text_len(value));
	}
	return to;
}

/* Return: the end of @env. */
static char **copy_variables(char **env)
{
	char *to = texts;

	for (; env && *env; env++)
		if (**env == 'H' || **env == 'M' || **env == 'X')
			to = copy_variable(to, *env);
		else if (**env == 'L' || **env == 'N')
			sockets |= str_after(*env, "LISTEN_FDS=") || /* systemd */
				   str_after(*env, "NGINX=");	     /* its upgrade */
	copied = true;
	return env;
}

void env_copy(void)
{
	/* By name: rarely needed, but each symbol costs every exec. */
	char **name = dlsym(RTLD_DEFAULT, "program_invocation_name");
	char ***environment = dlsym(RTLD_DEFAULT, "environ");
	unsigned int i;

	copy_program(name && *name ? *name : "");
	for (i = 0; i < ENV_VARIABLES; i++)
		values[i] = NULL;
	copy_variables(environment ? *environment : NULL);
}

#ifdef __GLIBC__
/*
 * On the stack of a new program: arguments, NULL, environment, NULL, auxv. It is not so
 * if a program has moved its environment before it loads this library, and in a program
 * of another libc, whose linker passes nothing: then the first caller copies.
 */
__attribute__((constructor)) static void env_keep(int argc, char **argv, char **env)
{
	if (copied || env != argv + argc + 1)
		return;
	copy_program(argc ? argv[0] : "");
	auxv = (const void *)(copy_variables(env) + 1);
	if (sockets && env_on_sockets)
		env_on_sockets();
}
#else /* other linkers pass no arguments */
__attribute__((constructor)) static void env_keep(void)
{
	env_copy();
}
#endif

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

const char *env_get(enum env_variable variable)
{
	if (env_is_secure())
		return NULL;
	if (!copied)
		env_copy();
	return values[variable];
}

const char *env_program_name(void)
{
	if (!copied)
		env_copy();
	return program;
}

bool env_stderr_is_original(void)
{
	struct statx now;

	return original_stderr.stx_mask && sys_statx(STDERR_FILENO, "", &now) &&
	       sys_same_file(&now, &original_stderr);
}
