// SPDX-License-Identifier: MIT
/*
 * curl.c - where the library cannot work, curl's output, errors and exit status are the
 * same as without it
 */
#include "preload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CURL	 "/usr/bin/curl"
#define LOG	 "/run/why.log"
#define WEB_PORT "8081"
#define URL	 "http://" LAB_ADDRESS ":" WEB_PORT "/page"
#define FORMAT	 "\n%{http_code} %{size_download} %{exitcode} %{remote_ip} %{errormsg}\n"

/* Common options; the tests add a URL and prepare the surroundings. */
#define OPTIONS                                                                      \
	CURL, "-q", "-sS", "--noproxy", "*", "--connect-timeout", "4", "-w", FORMAT, \
		"-o", "-"

static const struct program good = { .argv = { OPTIONS, URL } };
static const struct program no_page = { .argv = { OPTIONS, "-f", URL "-not" } };
static const struct program refused = { .argv = { OPTIONS, "http://10.0.1.1:9/" } };
static const struct program unroutable = { .argv = { OPTIONS, "http://203.0.113.1/" } };
static const struct program unresolved = { .argv = { OPTIONS,
						     "http://no.such.invalid/" } };
static const struct program silent = { .argv = { OPTIONS, "-m", "1",
						 "http://10.0.1.1:7777/" } };

struct web {
	struct lab lab;
	struct proc nginx;
};

#define WEB_DIR "/run/web"

static const char nginx_conf[] =
	"user root root;\ndaemon off;\nmaster_process off;\npid nginx.pid;\n"
	"error_log error.log;\nevents {}\nhttp { access_log off;\n"
	"client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
	"uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
	"server { listen " WEB_PORT "; root www; } }\n";

static bool answers(struct web *w)
{
	char *text = program_run(&w->lab, &good, NATIVE);
	bool ok = strstr(text, "--- status 0");

	free(text);
	return ok;
}

/* nginx, made MPTCP by the library. */
static void web_open(struct web *w)
{
	const char *argv[] = { "/usr/sbin/nginx", "-e", "error.log",  "-p",
			       WEB_DIR,		  "-c", "nginx.conf", NULL };
	char preload[PATH_MAX + 16];
	const char *env[] = { preload, "XDG_CONFIG_HOME=/nonexistent", NULL };

	lab_open(&w->lab);
	cr_assert_eq(access(argv[0], X_OK), 0, "no nginx");
	cr_assert_eq(access(CURL, X_OK), 0, "no curl");
	cr_assert(!mkdir(WEB_DIR, 0755) && !mkdir(WEB_DIR "/www", 0755));
	put_file(WEB_DIR "/www/page", "a page\nof two lines\n", 0644);
	put_file(WEB_DIR "/nginx.conf", nginx_conf, 0644);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", w->lab.lib);
	cr_assert_eq(proc_start(&w->nginx, &w->lab.world.server, argv, env), 0);
	cr_assert(WAIT_FOR(answers(w)), "nginx: %s", proc_errors(&w->nginx));
}

static void web_close(struct web *w)
{
	proc_end(&w->nginx);
	lab_close(&w->lab);
}

/* @g started by @in, a program whose last arguments are a command. */
static struct program started_by(const char *const in[], const struct program *g)
{
	struct program r = *g;
	int n = 0;

	for (; in && in[n]; n++)
		r.argv[n] = in[n];
	for (int i = 0; g->argv[i]; i++) {
		cr_assert_lt(n, LAB_ARGS - 1);
		r.argv[n++] = g->argv[i];
	}
	r.argv[n] = NULL;
	return r;
}

/* Successful and failing curls, natively and preloaded, started by @in (may be NULL). */
static void curls(struct web *w, const char *const in[], enum lab_mode mode,
		  enum lab_wire wire)
{
	static const struct {
		const struct program *program;
		const char *status;
	} all[] = { { &good, "--- status 0" },	     { &no_page, "--- status 22" },
		    { &refused, "--- status 7" },    { &unroutable, "--- status 7" },
		    { &unresolved, "--- status 6" }, { &silent, "--- status 28" } };
	enum lab_wire seen;
	struct program g;
	char *text;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		g = started_by(in, all[i].program);
		seen = i < 2 ? wire : TCP;
		same_as_native(&w->lab, &g, mode, seen);
		text = program_run(&w->lab, &g, mode);
		cr_expect(strstr(text, all[i].status), "%s, wanted %s", text,
			  all[i].status);
		free(text);
	}
}

#define CURL_TEST(name, prepare, in, mode, wire, why) \
	Test(curl, name, .timeout = 120)              \
	{                                             \
		struct web w;                         \
                                                      \
		web_open(&w);                         \
		prepare(&w.lab);                      \
		curls(&w, in, mode, wire);            \
		expect_logged(&w, in, mode, why);     \
		web_close(&w);                        \
	}

/* Whether a preloaded curl with a log wrote @why to it. */
static bool logged(struct web *w, const struct program *g, enum lab_mode mode,
		   const char *why, char **ret_log)
{
	free(*ret_log);
	free(program_run(&w->lab, g, mode));
	*ret_log = get_file(LOG);
	return *ret_log && strstr(*ret_log, why);
}

/* The log names the obstacle. Repeat: a curl may end before its manager has started. */
static void expect_logged(struct web *w, const char *const in[], enum lab_mode mode,
			  const char *why)
{
	struct program g = started_by(in, &good);
	char *log = NULL;

	if (!why)
		return;
	unlink(LOG);
	g.preload_env[0] = "MPTCPADDR_LOG=debug:" LOG;
	cr_expect(WAIT_FOR(logged(w, &g, mode, why, &log)),
		  "\"%s\" is not in the log: %s", why, log ? log : "(none)");
	free(log);
	unlink(LOG);
}

static void as_is(struct lab *lab)
{
}

CURL_TEST(same_with_a_pool, as_is, NULL, POOL, MPTCP, "2 endpoints from")
CURL_TEST(same_without_a_pool, as_is, NULL, NO_POOL, MPTCP, NULL)

static void mptcp_off(struct lab *lab)
{
	cr_assert_eq(host_sysctl(&lab->world.client, "net/mptcp/enabled", "0"), 0);
}

CURL_TEST(same_with_mptcp_off, mptcp_off, NULL, POOL, TCP, NULL)

static void kernel_manages(struct lab *lab)
{
	cr_assert_eq(host_path_manager(&lab->world.client, PM_KERNEL), 0);
}

CURL_TEST(same_with_the_kernels_path_manager, kernel_manages, NULL, POOL, MPTCP,
	  "the in-kernel path manager is active")

static const char *const no_net_admin[] = {
	"/usr/bin/setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-all", NULL
};

CURL_TEST(same_without_CAP_NET_ADMIN, as_is, no_net_admin, POOL, MPTCP,
	  "no CAP_NET_ADMIN")

static void broken_pool(struct lab *lab)
{
	lab_pool(lab, "this is no pool\n[pool\nendpoint = 1.2.3 id 999\n\x01\x02\xff\n");
}

CURL_TEST(same_with_a_broken_pool_file, broken_pool, NULL, POOL, MPTCP, ".conf:1: ")

static void missing_pool(struct lab *lab)
{
	unlink(lab->pool);
}

CURL_TEST(same_with_a_missing_pool_file, missing_pool, NULL, POOL, MPTCP, NULL)

static void unreadable_pool(struct lab *lab)
{
	cr_assert_eq(chmod(lab->pool, 0), 0);
}

/* Root can read every file, except without these. */
static const char *const no_override[] = {
	"/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search",
	"--inh-caps",	    "-all",	      NULL
};

CURL_TEST(same_with_an_unreadable_pool_file, unreadable_pool, no_override, POOL, MPTCP,
	  "Permission denied")

static void fifo_pool(struct lab *lab)
{
	unlink(lab->pool);
	cr_assert_eq(mkfifo(lab->pool, 0644), 0);
}

CURL_TEST(same_with_a_fifo_for_a_pool_file, fifo_pool, NULL, POOL, MPTCP,
	  ".conf: not a regular file")

static void directory_pool(struct lab *lab)
{
	unlink(lab->pool);
	cr_assert_eq(mkdir(lab->pool, 0755), 0);
}

CURL_TEST(same_with_a_directory_for_a_pool_file, directory_pool, NULL, POOL, MPTCP,
	  ".conf: not a regular file")

static void huge_pool(struct lab *lab)
{
	const char *argv[] = { "truncate", "-s", "1G", lab->pool, NULL };

	cr_assert_eq(proc_run(NULL, NULL, argv), 0);
}

CURL_TEST(same_with_a_huge_pool_file, huge_pool, NULL, POOL, MPTCP,
	  ".conf: File too large")

/* Replace every libnl by an empty file, in curl's own mount namespace. */
static const char hide_libnl[] =
	"for f in /usr/lib/*/libnl-*.so* /usr/lib*/libnl-*.so*; do "
	"[ ! -f \"$f\" ] || mount --bind /dev/null \"$f\" || exit 99; done; exec \"$@\"";

static const char *const no_libnl[] = { "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
					hide_libnl,	    "sh",      NULL };

Test(curl, libnl_can_be_hidden, TIMEOUT)
{
	const struct program g = { .argv = { "/bin/true" } };
	struct program hidden = started_by(no_libnl, &g);
	struct lab lab;
	char *text;

	lab_open(&lab);
	hidden.argv[6] = "/bin/sh";
	hidden.argv[7] = "-c";
	hidden.argv[8] = "cat /usr/lib/*/libnl-3.so.200 | wc -c";
	text = program_run(&lab, &hidden, NATIVE);
	cr_assert(strstr(text, "0\n--- errors:\n--- status 0"), "%s", text);
	free(text);
	lab_close(&lab);
}

CURL_TEST(same_without_libnl, as_is, no_libnl, POOL, MPTCP, "libnl")

static void alone(struct lab *lab)
{
	const char *argv[] = { "cp", lab->lib, "/run/libmptcpaddr.so", NULL };

	cr_assert_eq(proc_run(NULL, NULL, argv), 0);
	strcpy(lab->lib, "/run/libmptcpaddr.so");
}

CURL_TEST(same_without_the_path_manager_library, alone, NULL, POOL, MPTCP,
	  "libmptcpaddr-pm.so")

/* Without all rights that a sandbox may remove. */
static const char *const nothing_left[] = { "/usr/bin/setpriv",
					    "--no-new-privs",
					    "--bounding-set",
					    "-all",
					    "--inh-caps",
					    "-all",
					    NULL };

CURL_TEST(same_without_any_capability, as_is, nothing_left, POOL, MPTCP,
	  "no CAP_NET_ADMIN")
