// SPDX-License-Identifier: MIT
/*
 * program.c - which file really runs when a program is started
 *
 * Only looks: execvp(3) itself does the search again when the program is started.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTS_MAX 5	      /* interpreters of interpreters; the kernel's own limit */
#define HEAD_MAX    256	      /* of a "#!" line that the kernel reads: BINPRM_BUF_SIZE */
#define SHELL	    "/bin/sh" /* what execvp() takes for a file without "#!" */

static int is_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -EACCES;
	return 0;
}

static int try_folder(const char *folder, size_t len, const char *file,
		      char ret_path[PATH_MAX])
{
	int n = snprintf(ret_path, PATH_MAX, "%.*s%s%s", (int)len, folder, len ? "/" : "",
			 file);

	return n < PATH_MAX ? is_program(ret_path) : -ENAMETOOLONG;
}

int program_find(const char *file, char ret_path[PATH_MAX])
{
	const char *folder = getenv("PATH") ?: "/bin:/usr/bin";
	bool denied = false;
	size_t len;
	int r;

	if (!*file)
		return -ENOENT;
	if (strchr(file, '/'))
		return try_folder("", 0, file, ret_path);
	for (;; folder += len + 1) {
		len = strcspn(folder, ":");
		r = try_folder(folder, len, file, ret_path);
		if (!r)
			return 0;
		denied |= r == -EACCES;
		if (!folder[len])
			break;
	}
	snprintf(ret_path, PATH_MAX, "%s", file);
	return denied ? -EACCES : -ENOENT;
}

/* The words behind "env" in a "#!" line. Return: the program among them; NULL: none. */
static const char *env_program(char *words)
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

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * What runs the file @path. Return: 1 with the interpreter; 0: the file is loaded itself,
 * or cannot be read.
 */
static int interpreter_of(const char *path, char ret_file[HEAD_MAX])
{
	char head[HEAD_MAX + 1], *file, *rest;
	const char *program;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? 0 : read(fd, head, HEAD_MAX);

	if (fd >= 0)
		close(fd);
	if (n <= 0 || !memcmp(head, "\177ELF", 4))
		return 0;
	head[n] = '\0';
	snprintf(ret_file, HEAD_MAX, "%s", SHELL);
	if (strncmp(head, "#!", 2))
		return 1;
	head[strcspn(head, "\n")] = '\0';
	file = strtok_r(head + 2, " \t", &rest);
	if (!file)
		return 1;
	program = strcmp(basename_of(file), "env") ? NULL : env_program(rest);
	snprintf(ret_file, HEAD_MAX, "%s", program ?: file);
	return 1;
}

int program_resolve(const char *file, struct program *ret)
{
	char next[HEAD_MAX];
	int depth, r;

	*ret = (struct program){ .script = "" };
	snprintf(ret->name, sizeof(ret->name), "%s", basename_of(file));
	r = program_find(file, ret->path);
	for (depth = 0; !r && interpreter_of(ret->path, next); depth++) {
		if (depth == SCRIPTS_MAX)
			return -ELOOP;
		if (!depth)
			memcpy(ret->script, ret->path, sizeof(ret->script));
		snprintf(ret->name, sizeof(ret->name), "%s", basename_of(next));
		r = program_find(next, ret->path);
	}
	return r;
}
