// SPDX-License-Identifier: MIT
/*
 * program.c - which file runs when a program is started, and whether it takes a library
 *
 * Read only: execvp(3) searches again when the program is started.
 */
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTS_MAX  5 /* interpreters of interpreters; the kernel's own limit */
#define WRAPPERS_MAX 3
#define HEAD_MAX     256       /* of a "#!" line that the kernel reads: BINPRM_BUF_SIZE */
#define SHELL	     "/bin/sh" /* what execvp() runs for a file without "#!" */

/* Whether execvp(3) finds @file. */
static bool find_program(const char *file, char ret_path[PATH_MAX])
{
	const char *directory =
		strchr(file, '/') ? "" : getenv("PATH") ?: "/bin:/usr/bin";
	struct stat st;
	int len;

	for (;; directory += len + 1) {
		len = strcspn(directory, ":");
		if (snprintf(ret_path, PATH_MAX, "%.*s%s%s", len, directory,
			     len ? "/" : "", file) < PATH_MAX &&
		    stat(ret_path, &st) == 0 && S_ISREG(st.st_mode) &&
		    faccessat(AT_FDCWD, ret_path, X_OK, AT_EACCESS) == 0)
			return true;
		if (!directory[len])
			return false;
	}
}

/* The words after "env" in a "#!" line. Return: the program among them; NULL: none. */
static const char *find_env_program(char *words)
{
	char *word, *save;

	for (word = strtok_r(words, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (!strncmp(word, "-S", 2) && word[2])
			return word + 2;
		if (!strcmp(word, "-u") || !strcmp(word, "-C"))
			strtok_r(NULL, " \t", &save);
		else if (*word != '-' && !strchr(word, '='))
			return word;
	}
	return NULL;
}

/* Return: false if the kernel loads @path itself, or it cannot be read. */
static bool read_interpreter(const char *path, char ret_file[HEAD_MAX])
{
	char head[HEAD_MAX + 1], *file, *rest;
	const char *program;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? 0 : read(fd, head, HEAD_MAX);

	if (fd >= 0)
		close(fd);
	if (n <= 0 || !memcmp(head, "\177ELF", 4))
		return false;
	head[n] = '\0';
	snprintf(ret_file, HEAD_MAX, "%s", SHELL);
	if (strncmp(head, "#!", 2))
		return true;
	head[strcspn(head, "\n")] = '\0';
	file = strtok_r(head + 2, " \t", &rest);
	if (!file)
		return true;
	program = strcmp(basename(file), "env") ? NULL : find_env_program(rest);
	snprintf(ret_file, HEAD_MAX, "%s", program ?: file);
	return true;
}

/* Return: whether @ret->path was a wrapper, run by the interpreter @shell. */
static bool follow_wrapper(const char *shell, struct program *ret)
{
	static const char *const shells[] = { "sh", "dash", "bash", "ksh", "zsh" };
	const unsigned int n = sizeof(shells) / sizeof(*shells);
	char file[PATH_MAX], name[PATH_MAX], path[PATH_MAX];
	unsigned int i;

	for (i = 0; i < n && strcmp(basename(shell), shells[i]) != 0; i++)
		;
	if (i == n || !wrapper_read(ret->path, file, name) || !find_program(file, path))
		return false;
	memcpy(ret->path, path, sizeof(path));
	memcpy(ret->name, name, sizeof(name));
	ret->is_wrapped = true;
	return true;
}

bool program_resolve(const char *file, struct program *ret)
{
	char next[HEAD_MAX];
	int depth;
	bool found;

	*ret = (struct program){ .script = "" };
	snprintf(ret->name, sizeof(ret->name), "%s", basename(file));
	found = find_program(file, ret->path);
	for (depth = 0; found && read_interpreter(ret->path, next); depth++) {
		if (depth == SCRIPTS_MAX)
			return false;
		if (!depth)
			memcpy(ret->script, ret->path, sizeof(ret->script));
		if (depth < WRAPPERS_MAX && follow_wrapper(next, ret))
			continue;
		snprintf(ret->name, sizeof(ret->name), "%s", basename(next));
		found = find_program(next, ret->path);
	}
	return found;
}

/* The library that matches @program, or else the one of this tool's own kind. */
static int read_library(const char *path, bool other_kinds, const struct binary *program,
			struct binary *ret)
{
	char other[PATH_MAX];
	unsigned int i;

	for (i = 0; other_kinds && library_variant(path, i, other); i++)
		if (binary_read(other, ret) == 0 && binary_same_kind(program, ret))
			return 0;
	return binary_read(path, ret);
}

/* Its workers have root's effective user ID, but not the real one. */
static bool starts_secure(const char *path)
{
	return !strcmp(basename(path), "squid");
}

bool program_check(const char *path, const char *library_path, bool other_kinds,
		   struct obstacle *ret)
{
	char kinds[2][BINARY_KIND_MAX];
	struct binary program, library;
	const char *libc;
	bool same;

	*ret = (struct obstacle){ .remedies = NULL };
	if (binary_read(path, &program) < 0 ||
	    read_library(library_path, other_kinds, &program, &library) < 0)
		return true;
	libc = binary_foreign_libc(&program);
	same = binary_same_kind(&program, &library);
	ret->refuses_library = libc || !same;
	ret->is_supervisable = same || binary_runs_beside(&program, &library);
	ret->is_go = program.go;
	if (same && starts_secure(path)) {
		strcpy(ret->text, "starts processes that ignore preloaded libraries, as "
				  "setuid programs do");
		ret->remedies = "do: use mptcpaddr run --supervise, or squid -N";
	} else if (!same) {
		snprintf(ret->text, sizeof(ret->text),
			 "is a %s program, but the library is %s",
			 binary_kind(&program, kinds[0]),
			 binary_kind(&library, kinds[1]));
		ret->remedies = "do: use matching builds of the program and the library";
	} else if (program.go) {
		strcpy(ret->text,
		       "is a Go program, which makes system calls without libc");
		ret->remedies =
			"do: let the broker adopt them; GODEBUG=multipathtcp=1 is "
			"set";
	} else if (!program.loads_libraries) {
		strcpy(ret->text, "is a static program, which loads no library");
		ret->remedies = "do: use a dynamically linked build";
	} else if (libc) {
		snprintf(ret->text, sizeof(ret->text),
			 "uses another C library (%s), but the library needs " OWN_LIBC,
			 libc);
		ret->remedies = "do: use a build for " OWN_LIBC;
	}
	return !ret->remedies;
}
