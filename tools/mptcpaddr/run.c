// SPDX-License-Identifier: MIT
/*
 * run.c - mptcpaddr run: start a program under the library
 *
 * Warns first about what will not work, and starts the program all the same: its exit
 * status becomes the tool's.
 */
#include "checks.h"
#include "program.h"
#include "supervise.h"

#include "shim/pool/endpoint.h"
#include "shim/preload/env.h"
#include "shim/preload/pool_file.h"

#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_OWN       125 /* as env(1) and nohup(1) have it */
#define EXIT_NOT_RUN   126
#define EXIT_NOT_FOUND 127

struct run {
	const char *pool, *backend;
	struct findings findings;
	char **argv; /* of the program */
	struct program program;
	char library[PATH_MAX];
	bool refuses_library;
	enum {
		AS_NEEDED,
		ALWAYS,
		NEVER
	} supervise;
	bool needs_supervisor, has_effect, is_go;
	void (*on_sigpipe)(int); /* the disposition that the program inherits */
};

static int parse_run_options(struct run *run, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "pool", required_argument, NULL, 'p' },
		{ "backend", required_argument, NULL, 'b' },
		{ "supervise", no_argument, NULL, 's' },
		{ "no-supervise", no_argument, NULL, 'n' },
		{ 0 },
	};
	int c;

	while ((c = command_option(argc, argv, "+:vp:b:", options)) != -1) {
		if (c == 'v')
			run->findings.verbose = true;
		else if (c == 's' || c == 'n')
			run->supervise = c == 's' ? ALWAYS : NEVER;
		else if (c == 'p')
			run->pool = optarg;
		else if (c == 'b' && is_backend(optarg))
			run->backend = optarg;
		else if (c == 'b')
			return print_usage_error("run", "unknown back end \"%s\"",
						 optarg);
		else
			return EXIT_USAGE;
	}
	run->argv = argv + optind;
	return optind < argc ? 0 : print_usage_error("run", "no program given");
}

static void report_endpoint(struct findings *findings, const struct pool *pool,
			    const struct endpoint *ep)
{
	const struct mpprefix *prefix = &pool->sections[ep->section].prefix;
	char text[ENDPOINT_TEXT_MAX], addr[MPADDR_TEXT_MAX];
	char to[MPADDR_TEXT_MAX + 16] = "";

	if (prefix->addr.family != AF_UNSPEC)
		snprintf(to, sizeof(to), ", to %s/%u", mpaddr_text(&prefix->addr, addr),
			 prefix->len);
	report_ok(findings, "endpoint: %s (line %u)%s%s", endpoint_format(ep, text),
		  ep->line, to,
		  *ep->dev && !if_nametoindex(ep->dev) ? ": no such interface" : "");
}

/* Return: whether the library has an effect in this program. */
static bool check_pool(struct run *run)
{
	struct findings *findings = &run->findings;
	const char *name = run->program.name;
	struct pool_error why;
	struct pool *pool;
	char path[PATH_MAX] = "";
	unsigned int i;
	bool mptcp;
	/* The library's own search, in our environment. */
	int fd = pool_file_open(name, path);

	if (fd == -ENOENT) {
		report_ok(findings, "pool file: none for \"%s\", so MPTCP without a pool",
			  name);
		return true;
	}
	if (fd >= 0)
		close(fd);
	report_ok(findings, "pool file: %s (for \"%s\")", path, name);
	if (pool_load(path, &pool, &why) < 0) {
		report_problem(findings,
			       "%s" POOL_REJECTED "\n"
			       "do: run \"mptcpaddr check %s\" to list all errors",
			       why.text, path);
		return true;
	}
	for (i = 0; i < pool->n_endpoints; i++)
		report_endpoint(findings, pool, &pool->endpoints[i]);
	mptcp = pool->mptcp;
	pool_free(pool);
	/* The packages install that file; a program's own one says so on purpose. */
	if (!mptcp && !strcmp(basename(path), "default.conf"))
		report_problem(findings,
			       "%s says mptcp = no, so the program stays plain TCP\n"
			       "type: mptcpaddr init %s\n"
			       "do: or name a pool file with --pool",
			       path, name);
	else if (!mptcp)
		report_ok(findings, "mptcp = no in that file: the program stays plain "
				    "TCP");
	return mptcp;
}

/* Return: whether the supervisor serves the program, with the reason @text. */
static bool check_supervisor(struct run *run, const char *text)
{
	const char *lacks = run->supervise == NEVER ? NULL : supervise_lacks();

	if (run->supervise == NEVER || (run->supervise == AS_NEEDED && !run->has_effect))
		return false;
	if (lacks) {
		report_problem(&run->findings,
			       "%s: %s cannot be supervised\n"
			       "do: update the kernel, or leave its sandbox",
			       lacks, run->program.path);
		return false;
	}
	report_ok(&run->findings, "supervisor: opens the sockets of %s, which %s",
		  run->program.path, text);
	if (!supervise_is_free())
		report_ok(&run->findings,
			  "no_new_privs: setuid programs that it starts (sudo, su, ping) "
			  "gain no rights; --no-supervise goes without");
	return run->needs_supervisor = true;
}

static void check_program(struct run *run)
{
	const char *path = run->program.path, *secure = secure_reason(path);
	struct obstacle obstacle;
	const bool takes = program_check(path, run->library, true, &obstacle);
	bool served = false;

	run->refuses_library = obstacle.refuses_library;
	if (run->supervise == ALWAYS)
		served =
			check_supervisor(run, takes ? "may start others" : obstacle.text);
	else if (!takes && obstacle.is_supervisable)
		served = check_supervisor(run, obstacle.text);
	else if (secure && supervise_is_free())
		served = check_supervisor(run, secure);
	if (!takes && !served)
		report_problem(&run->findings, "%s %s: its connections %s\n%s", path,
			       obstacle.text,
			       obstacle.is_go && run->has_effect
				       ? "have no pool, and no MPTCP before Go 1.21"
				       : "stay plain TCP",
			       obstacle.remedies);
	if (secure && served && !supervise_is_free())
		report_problem(&run->findings,
			       "%s is %s, and gains no rights under the supervisor "
			       "(no_new_privs)\ndo: use --no-supervise",
			       path, secure);
	else if (secure && !served)
		report_problem(&run->findings,
			       "%s is %s, so preloaded libraries are ignored: its "
			       "connections stay plain TCP\n"
			       "do: run it as the user whose rights it takes, or copy it "
			       "without them",
			       path, secure);
	run->is_go = obstacle.is_go;
}

/* Return: 0, or -1 after an error was printed. */
static int set_variable(const char *name, const char *value)
{
	if (!value || setenv(name, value, 1) < 0)
		return -print_error("%s cannot be set: %s", name, strerror(errno));
	env_copy(); /* pool_file_open() reads it there */
	return 0;
}

/* Go 1.21 and later open MPTCP sockets themselves. */
static int extend_godebug(const struct run *run)
{
	const char *before = getenv("GODEBUG") ?: "";
	char *list;
	int r;

	if (!run->is_go || !run->has_effect || strstr(before, "multipathtcp="))
		return 0;
	if (asprintf(&list, "%s%smultipathtcp=1", before, *before ? "," : "") < 0)
		list = NULL;
	r = set_variable("GODEBUG", list);
	free(list);
	return r;
}

/* Return: 0, or -1 after an error was printed. */
static int start_supervisor(struct run *run)
{
	int r = run->needs_supervisor ? supervise_start() : 0;

	if (r == -EPIPE) /* the filter stays, and nobody would answer */
		return -print_error("the supervisor has ended");
	if (r < 0 && r != -EALREADY)
		report_problem(&run->findings,
			       "%s cannot be supervised: %s: its connections stay plain "
			       "TCP\ndo: use --no-supervise",
			       run->program.path, strerror(-r));
	return 0;
}

static int preload_library(struct run *run)
{
	const char *before = getenv("LD_PRELOAD") ?: "";
	const bool listed = library_is_listed(before);
	char name[PATH_MAX], *list;
	int r;

	if (run->refuses_library)
		return 0;
	library_name(run->library, name);
	report_ok(&run->findings, "library: %s", listed ? "already in LD_PRELOAD" : name);
	if (listed)
		return 0;
	if (asprintf(&list, "%s%s%s", before, *before ? ":" : "", name) < 0)
		list = NULL;
	r = set_variable("LD_PRELOAD", list);
	free(list);
	return r;
}

/* No warning keeps the program from its start: a full pipe, or one without a reader. */
static void mute_full_stderr(void)
{
#ifdef __GLIBC__ /* musl's is constant: there, warnings wait for a reader */
	struct pollfd fds = { .fd = STDERR_FILENO, .events = POLLOUT };
	FILE *null = poll(&fds, 1, 0) == 0 ? fopen("/dev/null", "we") : NULL;

	if (null)
		stderr = null;
#endif
}

static int exec_program(const struct run *run, bool found)
{
	const bool script = run->program.script[0];
	int error;

	fflush(stderr);
	signal(SIGPIPE, run->on_sigpipe);
	/* execvp() would let the shell read an ELF file of another machine. */
	if (found && !script)
		execv(run->program.path, run->argv);
	else
		execvp(run->argv[0], run->argv);
	error = errno;
	print_error("%s: %s", run->argv[0], strerror(error));
	/* With a script it is the interpreter that is missing. */
	return error == ENOENT && !found && !script ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

int cmd_run(int argc, char *argv[])
{
	static struct run run = { .findings.by = FOUND_BY_RUN };
	const char *script = run.program.script, *error;
	char path[PATH_MAX];
	bool found;

	if (parse_run_options(&run, argc, argv))
		return EXIT_OWN;
	run.on_sigpipe = signal(SIGPIPE, SIG_IGN);
	mute_full_stderr();
	error = library_find(run.library);
	if (error) {
		print_error("%s %s", run.library, error);
		return EXIT_OWN;
	}
	if (run.pool &&
	    (require_pool_file(run.pool, "the program is not started", path) < 0 ||
	     set_variable("MPTCPADDR_CONFIG", path) < 0))
		return EXIT_OWN;
	if (run.backend && set_variable("MPTCPADDR_BACKEND", run.backend) < 0)
		return EXIT_OWN;
	found = program_resolve(run.argv[0], &run.program);
	if (found) {
		report_ok(&run.findings, "program: %s%s%s", script,
			  !*script		   ? ""
			  : run.program.is_wrapped ? ", which executes "
						   : ", run by ",
			  run.program.path);
		run.has_effect = check_pool(&run);
		if (run.has_effect)
			check_machine(&run.findings, NULL);
		check_program(&run);
	}
	/* The library, too, says what it does: refused options, joins. */
	if (run.findings.verbose && !getenv("MPTCPADDR_LOG") &&
	    set_variable("MPTCPADDR_LOG", "info") < 0)
		return EXIT_OWN;
	if (preload_library(&run) < 0 || extend_godebug(&run) < 0 ||
	    start_supervisor(&run) < 0)
		return EXIT_OWN;
	return exec_program(&run, found);
}
