// SPDX-License-Identifier: MIT
/*
 * run.c - mptcpaddr run: start a program under the library
 *
 * Says beforehand what will not work (hazards.c), and starts the program all the same:
 * its exit status is the tool's.
 */
#include "command.h"
#include "finding.h"
#include "hazards.h"
#include "library.h"
#include "lookup.h"
#include "pools.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_OWN	125 /* as env(1), nohup(1) and the like have it */
#define EXIT_NOT_RUN	126
#define EXIT_NOT_FOUND	127
#define POOL_LENGTH_MAX 1023 /* the library takes no longer path: poolfile.h */

static const char *const backends[] = { "broker", "direct", "none" };

struct options {
	const char *pool, *backend;
	bool verbose;
	char **program; /* and its arguments */
};

static bool is_backend(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(backends) / sizeof(*backends); i++)
		if (!strcmp(backends[i], word))
			return true;
	return false;
}

static int parse_options(int argc, char *argv[], struct options *ret)
{
	static const struct option known[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "pool", required_argument, NULL, 'p' },
		{ "backend", required_argument, NULL, 'b' },
		{ 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:vp:b:", known, NULL)) != -1) {
		switch (c) {
		case 'v':
			ret->verbose = true;
			break;
		case 'p':
			ret->pool = optarg;
			break;
		case 'b':
			if (!is_backend(optarg))
				return usage_error("run", "there is no back end \"%s\"",
						   optarg);
			ret->backend = optarg;
			break;
		default:
			return usage_error("run",
					   c == ':' ? "%s wants a value"
						    : "there is no option %s",
					   argv[optind - 1]);
		}
	}
	if (optind == argc)
		return usage_error("run", "which program?");
	ret->program = argv + optind;
	return 0;
}

static void on_error(void *user, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

/* Return: 0, or -1 with the reason told. */
static int set_variable(const char *name, const char *value)
{
	int r = setenv(name, value, 1);

	if (r < 0)
		say("%s cannot be set: %s", name, strerror(errno));
	return r;
}

/* A file that was asked for must be good. Return: 0, or -1 with the reason told. */
static int take_pool(const char *file)
{
	struct pool *pool = NULL;
	char *path;
	int errors = pools_check(file, &pool, on_error, NULL), r;

	pool_free(pool);
	if (errors) {
		say("%s cannot be used, the program is not started", file);
		return -1;
	}
	path = realpath(file, NULL);
	if (!path || strlen(path) > POOL_LENGTH_MAX) {
		say("%s: %s", file, strerror(path ? ENAMETOOLONG : errno));
		free(path);
		return -1;
	}
	r = set_variable("MPTCPADDR_CONFIG", path);
	free(path);
	return r;
}

static int set_preload(const struct hazards *hazards, bool verbose)
{
	char name[PATH_MAX];
	int r;

	/* Its dynamic linker would complain, or refuse to start the program. */
	if (hazards->cannot_load)
		return 0;
	library_name(hazards->library, name);
	r = library_preload(name);
	if (verbose)
		say("library: %s", r == 1 ? "LD_PRELOAD has it already" : name);
	if (r < 0)
		say("LD_PRELOAD cannot be set: %s", strerror(-r));
	return r < 0 ? -1 : 0;
}

static int start(char **argv, const struct program *program, bool found)
{
	int error;

	fflush(stderr);
	/* execvp() would give an ELF file of another machine to the shell to read. */
	if (found && !program->script[0])
		execv(program->path, argv);
	else
		execvp(argv[0], argv);
	error = errno;
	say("%s: %s", argv[0], strerror(error));
	found = found || program->script[0]; /* then it is the interpreter that is not */
	return error == ENOENT && !found ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

int cmd_run(int argc, char *argv[])
{
	struct options options = { .pool = NULL };
	static struct hazards hazards;
	int r = parse_options(argc, argv, &options);

	if (r)
		return EXIT_OWN;
	r = library_find(hazards.library);
	if (r < 0) {
		say("%s %s", hazards.library, library_error(r));
		return EXIT_OWN;
	}
	if ((options.pool && take_pool(options.pool) < 0) ||
	    (options.backend && set_variable("MPTCPADDR_BACKEND", options.backend) < 0))
		return EXIT_OWN;
	r = program_resolve(options.program[0], &hazards.program);
	if (r == 0)
		hazards_tell(&hazards, options.verbose);
	if (set_preload(&hazards, options.verbose) < 0)
		return EXIT_OWN;
	return start(options.program, &hazards.program, r == 0);
}
