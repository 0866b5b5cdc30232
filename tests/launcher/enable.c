// SPDX-License-Identifier: MIT
/*
 * enable.c - mptcpaddr enable and disable: the drop-in of a systemd service
 *
 * Units are below a folder of the test's own (--root); systemd itself reads the result.
 */
#include "traffic.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT   "/run/root"
#define OFF    "/run/root-off" /* where the pool says mptcp = no */
#define UNITS  ROOT "/lib/systemd/system"
#define DROPIN ROOT "/etc/systemd/system/%s.d/mptcpaddr.conf"
#define HEAD                                                                         \
	"# Written by mptcpaddr service add; mptcpaddr service remove removes it.\n" \
	"[Service]\n"
#define AMBIENT \
	"# The path manager is in the program.\nAmbientCapabilities=CAP_NET_ADMIN\n"

static void open_root(struct bench *b)
{
	bench_open(b);
	shell(b, "mkdir -p " UNITS " " ROOT "/etc/systemd/system " ROOT "/usr/bin; "
		 "cp /usr/bin/sleep " ROOT "/usr/bin/sleep");
}

/* [Service] with @lines. */
static void unit(const char *name, const char *lines)
{
	char path[128], text[2 * PATH_MAX];

	snprintf(path, sizeof(path), UNITS "/%s", name);
	snprintf(text, sizeof(text), "[Unit]\nDescription=A test\n[Service]\n%s", lines);
	put_file(path, text, 0644);
}

#define SLEEP "ExecStart=/usr/bin/sleep 1000\n"

/* The drop-in's text, or NULL if it is missing; the caller frees it. */
static char *drop_in(const char *name)
{
	char path[160], *text;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), DROPIN, name);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	text = calloc(1, 8192);
	cr_assert(text);
	n = fread(text, 1, 8191, file);
	cr_assert_lt(n, 8191);
	fclose(file);
	return text;
}

#define ENABLE(...)  ARGS("@mptcpaddr", "enable", "--root", ROOT, __VA_ARGS__)
#define DISABLE(...) ARGS("@mptcpaddr", "disable", "--root", ROOT, __VA_ARGS__)

static void works(struct bench *b, const char *says, const char *const argv[])
{
	struct said said = run(b, NULL, argv);

	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_expect_str_eq(said.err, "");
	cr_expect(!strncmp(said.out, says, strlen(says)), "%s", said.out);
	said_free(&said);
}

/* One line on stderr with @words, exit status 1, and nothing is written. */
static void refused(struct bench *b, const char *words, const char *name)
{
	struct said said = run(b, NULL, ENABLE(name));
	char *end = strchr(said.err, '\n'), *text;

	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.out, "");
	cr_expect(strstr(said.err, words), "%s: \"%s\" is not in: %s", name, words,
		  said.err);
	cr_expect(end && !end[1], "%s", said.err);
	said_free(&said);
	text = drop_in(name);
	cr_expect_null(text);
	free(text);
}

/* LD_PRELOAD is @before and the library; @after are the lines after it. */
static void drop_in_is(const char *name, const char *before, const char *after)
{
	char expected[PATH_MAX + 1024], *text = drop_in(name);

	snprintf(expected, sizeof(expected), HEAD "Environment=\"LD_PRELOAD=%s%s\"\n%s",
		 before, path_of("libmptcpaddr.so"), after);
	cr_assert(text, "there is no drop-in of %s", name);
	cr_expect_str_eq(text, expected);
	free(text);
}

/* systemd's own parser accepts the unit with its drop-in. */
static void systemd_takes(struct bench *b, const char *name)
{
	char path[160], folders[200];
	struct said said;

	snprintf(folders, sizeof(folders),
		 "SYSTEMD_UNIT_PATH=" ROOT "/etc/systemd/system:" UNITS
		 ":/lib/systemd/system");
	snprintf(path, sizeof(path), UNITS "/%s", name);
	said = run(b, ARGS(folders),
		   ARGS("systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
			path));
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_str_eq(said.err, "");
	said_free(&said);
}

Test(enable, drop_in_preloads_and_is_removed_again, TIMEOUT)
{
	struct stat before, after;
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	unit("plain.service", SLEEP);
	cr_assert_eq(stat(UNITS "/plain.service", &before), 0);
	works(&b, "wrote " ROOT "/etc/systemd/system/plain.service.d/mptcpaddr.conf",
	      ENABLE("plain"));
	drop_in_is("plain.service", "", AMBIENT);
	systemd_takes(&b, "plain.service");
	works(&b, "already enabled by ", ENABLE("plain.service"));
	drop_in_is("plain.service", "", AMBIENT);
	works(&b, "removed ", DISABLE("plain"));
	cr_expect_eq(access(ROOT "/etc/systemd/system/plain.service.d", F_OK), -1);
	works(&b, "plain.service is not enabled\n", DISABLE("plain"));
	/* Their other names, which do not collide with systemctl's. */
	works(&b, "wrote " ROOT "/etc/systemd/system/plain.service.d/mptcpaddr.conf",
	      ARGS("@mptcpaddr", "service", "add", "--root", ROOT, "plain"));
	drop_in_is("plain.service", "", AMBIENT);
	/* As an older version wrote it. */
	shell(&b,
	      "sed -i '1s/.*/# Written by mptcpaddr enable; mptcpaddr disable removes "
	      "it./' " ROOT "/etc/systemd/system/plain.service.d/mptcpaddr.conf");
	works(&b, "removed ",
	      ARGS("@mptcpaddr", "service", "remove", "--root", ROOT, "plain"));
	cr_assert_eq(stat(UNITS "/plain.service", &after), 0);
	cr_expect_eq(before.st_ino, after.st_ino);
	cr_expect_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	bench_close(&b);
}

/* In a fresh installation the drop-in has no effect yet. */
Test(enable, pool_file_that_says_mptcp_no_is_a_warning, TIMEOUT)
{
	static const char warning[] =
		"/etc/mptcpaddr/default.conf says mptcp = no, so the "
		"service stays plain TCP; write "
		"/etc/mptcpaddr/sleep.conf, or use --pool\n";
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	unit("plain.service", SLEEP);
	/* Its own root: not for other tests. */
	shell(&b, "cp -r " ROOT " " ROOT "-off; mkdir " OFF "/etc/mptcpaddr");
	put_file(OFF "/etc/mptcpaddr/default.conf", "[app]\nmptcp = no\n", 0644);
	said = run(&b, NULL, ARGS("@mptcpaddr", "enable", "--root", OFF, "plain"));
	cr_expect_eq(said.status, 0);
	cr_expect_eq(times(&said, warning), 1, "%s", said.err);
	said_free(&said);
	put_file(OFF "/etc/mptcpaddr/sleep.conf", "[pool]\nendpoint = 10.0.2.2\n", 0644);
	said = run(&b, NULL, ARGS("@mptcpaddr", "enable", "--root", OFF, "plain"));
	cr_expect_eq(said.status, 0);
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}

/* Preloads of the unit and of other drop-ins are kept. */
Test(enable, library_comes_after_other_preloads, TIMEOUT)
{
	char already[PATH_MAX + 128], *text;
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	unit("jemalloc.service",
	     "Environment=X=1 \"LD_PRELOAD=/usr/lib/libjemalloc.so.2\" 'Y=a b'\n" SLEEP);
	works(&b, "wrote ", ENABLE("jemalloc"));
	drop_in_is("jemalloc.service", "/usr/lib/libjemalloc.so.2:", AMBIENT);
	systemd_takes(&b, "jemalloc.service");
	shell(&b, "mkdir -p " ROOT "/etc/systemd/system/jemalloc.service.d; printf "
		  "'[Service]\\nEnvironment=\\nEnvironment=LD_PRELOAD=/a.so\\n' >" ROOT
		  "/etc/systemd/system/jemalloc.service.d/a.conf");
	works(&b, "wrote ", ENABLE("jemalloc"));
	drop_in_is("jemalloc.service", "/a.so:", AMBIENT);
	works(&b, "removed ", DISABLE("jemalloc"));
	cr_expect_eq(access(ROOT "/etc/systemd/system/jemalloc.service.d/a.conf", F_OK),
		     0);
	snprintf(already, sizeof(already), "Environment=LD_PRELOAD=%s\n" SLEEP,
		 path_of("libmptcpaddr.so"));
	unit("twice.service", already);
	works(&b, "wrote ", ENABLE("twice"));
	text = drop_in("twice.service");
	cr_assert(text);
	cr_expect_str_eq(text, HEAD AMBIENT);
	free(text);
	bench_close(&b);
}

Test(enable, restricted_unit_gets_what_the_manager_needs, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	unit("tight.service", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
			      "RestrictAddressFamilies=AF_INET \\\n  AF_INET6\n" SLEEP);
	works(&b, "wrote ", ENABLE("tight"));
	drop_in_is("tight.service", "",
		   AMBIENT "CapabilityBoundingSet=CAP_NET_ADMIN\n"
			   "RestrictAddressFamilies=AF_NETLINK AF_UNIX\n");
	systemd_takes(&b, "tight.service");
	bench_close(&b);
}

/* With a broker the program needs no rights, but a socket to it. */
Test(enable, unit_of_a_machine_with_a_broker_gets_no_rights, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	unit("tight.service", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
			      "RestrictAddressFamilies=AF_INET\n" SLEEP);
	shell(&b, "mkdir -p " ROOT "/etc/systemd/system/multi-user.target.wants; ln -s "
		  "/lib/systemd/system/mptcpaddrd.service " ROOT
		  "/etc/systemd/system/multi-user.target.wants");
	works(&b, "wrote ", ENABLE("tight"));
	drop_in_is("tight.service", "", "RestrictAddressFamilies=AF_NETLINK AF_UNIX\n");
	bench_close(&b);
}

/* Its workers, or the whole server, go on as another user. */
Test(enable, server_that_may_drop_root_needs_the_broker, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	shell(&b, "mkdir -p " ROOT "/usr/sbin; cp /usr/sbin/nginx " ROOT "/usr/sbin");
	unit("web.service", "ExecStart=/usr/sbin/nginx\n");
	unit("user.service", "User=www-data\nExecStart=/usr/sbin/nginx\n");
	said = run(&b, NULL, ENABLE("web"));
	cr_expect_eq(said.status, 0);
	cr_expect(strstr(said.err, "web.service may drop root's rights") &&
			  strstr(said.err, "systemctl enable --now mptcpaddrd\n"),
		  "%s", said.err);
	said_free(&said);
	works(&b, "wrote ", ENABLE("user"));
	shell(&b, "mkdir -p " ROOT "/etc/systemd/system/multi-user.target.wants; ln -s "
		  "/lib/systemd/system/mptcpaddrd.service " ROOT
		  "/etc/systemd/system/multi-user.target.wants");
	works(&b, "wrote ", ENABLE("web"));
	bench_close(&b);
}

Test(enable, pool_file_is_named_and_must_be_good, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	unit("pool.service", SLEEP);
	put_file("/run/100% mine.conf", "[pool]\nendpoint = 10.0.2.2\n", 0644);
	works(&b, "wrote ", ENABLE("--pool", "/run/100% mine.conf", "pool"));
	drop_in_is("pool.service", "",
		   "Environment=\"MPTCPADDR_CONFIG=/run/100%% mine.conf\"\n" AMBIENT);
	systemd_takes(&b, "pool.service");
	works(&b, "removed ", DISABLE("pool"));
	put_file("/run/bad.conf", "[pool]\nendpoint = 10.0.2.2 id 300\n", 0644);
	said = run(&b, NULL, ENABLE("pool", "--pool", "/run/bad.conf"));
	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.err,
			 "/run/bad.conf:2: local id 300 is not in 1-255\n"
			 "mptcpaddr: /run/bad.conf cannot be used, nothing was done\n");
	said_free(&said);
	said = run(&b, NULL, ENABLE("pool", "--pool", "/run"));
	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.err, "/run: not a regular file\n"
				   "mptcpaddr: /run cannot be used, nothing was done\n");
	said_free(&said);
	cr_expect_null(drop_in("pool.service"));
	bench_close(&b);
}

static const struct {
	const char *unit, *lines, *words;
} bad_units[] = {
	{ "none.service", NULL, "no unit none.service" },
	{ "../none", NULL, "\"../none\" is not the name of a unit" },
	{ "web.socket", NULL, "web.socket starts no program: name the service" },
	{ "masked.service", NULL, "masked.service is masked; type: systemctl unmask" },
	{ "static.service",
	  "Type=oneshot\nExecStart=/usr/bin/static\nExecStart=/bin/true\n",
	  "/usr/bin/static is a static program, which loads no library, and cannot be "
	  "supervised: there is more than one ExecStart=" },
	{ "gone.service", "ExecStart=/usr/bin/gone\n",
	  "its program " ROOT "/usr/bin/gone is missing" },
	{ "empty.service", "Type=oneshot\nExecStop=/usr/bin/sleep 1\n",
	  "has no ExecStart=" },
	{ "users.service", "PrivateUsers=yes\n" SLEEP, "PrivateUsers=yes" },
	{ "rooted.service", "RootDirectory=/srv/other\n" SLEEP,
	  "it runs in its own root /srv/other" },
	{ "file.service", "EnvironmentFile=-/etc/file.env\n" SLEEP,
	  "/etc/file.env sets LD_PRELOAD, which overrides the drop-in" },
	/* The program is in secure mode where it gives its user rights. */
	{ "setuid.service", "User=nobody\nExecStart=/usr/bin/setuid 1\n",
	  "/usr/bin/setuid is setuid, so preloaded libraries" },
	{ "setgid.service", "DynamicUser=yes\nExecStart=/usr/bin/setgid 1\n",
	  "/usr/bin/setgid is setgid, so" },
	{ "caps.service", "User=nobody\nExecStart=/usr/bin/caps 1\n",
	  "/usr/bin/caps is a program with file capabilities" },
	{ "kind.service", "ExecStart=@/usr/bin/kind other-name\n",
	  "is a 32-bit x86 program, but the library is 64-bit x86-64" },
	{ "musl.service", "Type=forking\nExecStart=!/usr/bin/musl\n",
	  "uses another C library (musl)" },
};

static const char bad_programs[] =
	"cd " ROOT "/usr/bin; cp \"$0\" static; cp \"$1\" kind; cp \"$2\" musl\n"
	"cp /usr/bin/fzf .; cp fzf go; cp sleep setuid; chmod 4755 setuid; cp sleep "
	"setgid\n"
	"chmod 2755 setgid; cp sleep caps; /usr/sbin/setcap cap_net_raw+ep caps\n"
	"ln -s /dev/null " ROOT "/etc/systemd/system/masked.service\n"
	"echo LD_PRELOAD=/x.so >" ROOT "/etc/file.env";

static void prepare_programs(struct bench *b)
{
	struct said said = run(b, NULL,
			       ARGS("/bin/sh", "-ec", bad_programs, "@@hello-static",
				    "@@hello32", "@@hello-musl"));

	cr_assert_eq(said.status, 0, "%s", said.err);
	said_free(&said);
}

/* ExecStart= is @start, with the supervisor after @prefixes; @after are the lines after
 * it. */
static void is_supervised(struct bench *b, const char *lines, const char *prefixes,
			  const char *start, const char *after)
{
	char expected[PATH_MAX + 1024], all[1024], *text;

	snprintf(all, sizeof(all), "%sExecStart=%s%s\n", lines, prefixes, start);
	unit("static.service", all);
	works(b, ROOT "/usr/bin/", ENABLE("static"));
	snprintf(expected, sizeof(expected),
		 HEAD "ExecStart=\nExecStart=%s%s run --supervise -- %s\n%s", prefixes,
		 path_of("mptcpaddr"), start, after);
	text = drop_in("static.service");
	cr_assert(text);
	cr_expect_str_eq(text, expected);
	free(text);
	systemd_takes(b, "static.service");
	works(b, "removed ", DISABLE("static"));
}

Test(enable, static_programs_are_started_by_the_supervisor, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	prepare_programs(&b);
	is_supervised(&b, "", "", "/usr/bin/static", AMBIENT);
	is_supervised(&b, "", "-", "/usr/bin/static \"a b\" %n $X ${Y}", AMBIENT);
	is_supervised(&b, "SystemCallFilter=@system-service\n", "!", "/usr/bin/go",
		      "SystemCallFilter=seccomp pidfd_open pidfd_getfd "
		      "process_vm_readv\n" AMBIENT);
	is_supervised(&b, "Type=forking\nPIDFile=/run/x\n", "", "/usr/bin/musl", AMBIENT);
	bench_close(&b);
}

/* A Go program that cannot be supervised. */
Test(enable, go_programs_are_adopted_otherwise, TIMEOUT)
{
	struct said said;
	struct bench b;
	char *text;

	NEED_SANDBOX();
	open_root(&b);
	prepare_programs(&b);
	unit("go.service",
	     "Environment=GODEBUG=netdns=go\nExecStart=@/usr/bin/fzf go2\n");
	said = run(&b, NULL, ENABLE("go"));
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect(strstr(said.out,
			 "cannot be supervised: ExecStart=@ names it. The broker "
			 "can adopt"),
		  "%s", said.out);
	cr_expect(strstr(said.out, "[program \"unit:go.service\"]\n"), "%s", said.out);
	text = drop_in("go.service");
	cr_assert(text);
	cr_expect_str_eq(text, HEAD "Environment=\"GODEBUG=netdns=go,multipathtcp=1\"\n");
	free(text);
	said_free(&said);
	systemd_takes(&b, "go.service");
	bench_close(&b);
}

Test(enable, units_that_cannot_work_are_refused, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	prepare_programs(&b);
	for (size_t i = 0; i < sizeof(bad_units) / sizeof(*bad_units); i++) {
		if (bad_units[i].lines)
			unit(bad_units[i].unit, bad_units[i].lines);
		refused(&b, bad_units[i].words, bad_units[i].unit);
	}
	/* Root has already what the program gives. */
	unit("root.service", "User=root\nExecStart=/usr/bin/setuid 1\n");
	works(&b, "wrote ", ENABLE("root"));
	bench_close(&b);
}

Test(enable, foreign_drop_in_is_left_unchanged, TIMEOUT)
{
	static const char other[] = "[Service]\nNice=3\n";
	struct said said;
	struct bench b;
	char *text;

	NEED_SANDBOX();
	open_root(&b);
	unit("other.service", SLEEP);
	shell(&b, "mkdir -p " ROOT "/etc/systemd/system/other.service.d");
	put_file(ROOT "/etc/systemd/system/other.service.d/mptcpaddr.conf", other, 0644);
	said = run(&b, NULL, ENABLE("other"));
	cr_expect_eq(said.status, 1);
	cr_expect_eq(times(&said, "was not written by mptcpaddr; left unchanged"), 1);
	said_free(&said);
	said = run(&b, NULL, DISABLE("other"));
	cr_expect_eq(said.status, 1);
	cr_expect_eq(times(&said, "was not written by mptcpaddr; left unchanged"), 1);
	said_free(&said);
	text = drop_in("other.service");
	cr_assert(text);
	cr_expect_str_eq(text, other);
	free(text);
	bench_close(&b);
}

Test(enable, instances_and_aliases_are_found, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	unit("web@.service", SLEEP);
	works(&b, "wrote " ROOT "/etc/systemd/system/web@one.service.d/",
	      ENABLE("web@one"));
	unit("real.service", "CapabilityBoundingSet=\n" SLEEP);
	shell(&b, "ln -s /lib/systemd/system/real.service " ROOT
		  "/etc/systemd/system/alias.service");
	works(&b, "wrote ", ENABLE("alias"));
	drop_in_is("alias.service", "", AMBIENT "CapabilityBoundingSet=CAP_NET_ADMIN\n");
	bench_close(&b);
}

/* Without --root: units in a directory that only this test sees. */
static const char as_user[] =
	"mkdir -p /run/enable-all && chmod 755 /run/enable-all && cp \"$@\" "
	"/run/enable-all\n"
	"mkdir -p /etc/systemd/system; mount -t tmpfs none /etc/systemd/system\n"
	"cd /etc/systemd/system; ln -s /dev/null hidden.service\n"
	"printf '[Service]\nExecStart=/usr/bin/sleep 1\n' >seen.service\n"
	"/run/enable-all/mptcpaddr enable seen\n"
	"for unit in seen hidden; do setpriv --reuid 1000 --regid 1000 --clear-groups "
	"\\\n"
	"	/run/enable-all/mptcpaddr enable $unit 2>&1; done; exit 0";

Test(enable, users_are_told_to_type_sudo, TIMEOUT)
{
	static const char done[] = "/etc/systemd/system/seen.service.d/mptcpaddr.conf\n";
	char expected[1024];
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	if (!getenv("MPTCPADDR_TEST_USERS"))
		SKIP("there are no other users in this sandbox");
	bench_open(&b);
	said = run(&b, NULL,
		   ARGS("unshare", "-m", "/bin/sh", "-c", as_user, "sh", "@mptcpaddr",
			"@libmptcpaddr.so", "@libmptcpaddr-pm.so"));
	snprintf(expected, sizeof(expected),
		 "wrote %s"
		 "type: systemctl daemon-reload && systemctl try-restart seen.service\n"
		 "already enabled by %s"
		 "type: sudo systemctl daemon-reload && sudo systemctl try-restart "
		 "seen.service\n"
		 "mptcpaddr: hidden.service is masked; type: sudo systemctl unmask "
		 "hidden.service\n",
		 done, done);
	cr_expect_str_eq(said.out, expected);
	said_free(&said);
	bench_close(&b);
}

Test(enable, wrong_arguments_are_refused, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "enable"), 2, "enable: no unit given");
	says(&b, ARGS("@mptcpaddr", "enable", "a", "b"), 2,
	     "enable: more than one unit given");
	says(&b, ARGS("@mptcpaddr", "enable", "a", "--pool"), 2,
	     "enable: --pool requires a value");
	says(&b, ARGS("@mptcpaddr", "disable", "a", "--pool", "x"), 2,
	     "disable: unknown option --pool");
	bench_close(&b);
}

/*
 * The drop-in does what it is for: a program with the variables and the capability that
 * it gives, and with no other capability, has its pool.
 */
Test(enable, service_gets_its_pool, TIMEOUT)
{
	char *text, *preload, *config;
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	open_root(&b);
	traffic_serve(&b, &server, false, ARGS("10.0.2.1"));
	put_file("/run/service.conf", "[pool]\nendpoint = 10.0.3.2\n", 0644);
	unit("client.service", SLEEP);
	works(&b, "wrote ", ENABLE("client", "--pool", "/run/service.conf"));
	text = drop_in("client.service");
	cr_assert(text);
	preload = strstr(text, "LD_PRELOAD=");
	config = strstr(text, "MPTCPADDR_CONFIG=");
	cr_assert(preload && config && strstr(text, "AmbientCapabilities=CAP_NET_ADMIN"));
	preload[strcspn(preload, "\"")] = '\0';
	config[strcspn(config, "\"")] = '\0';
	cr_assert_eq(proc_start(&client, &b.world.client,
				ARGS("setpriv", "--bounding-set", "-all,+net_admin",
				     "--inh-caps", "-all,+net_admin", "--ambient-caps",
				     "-all,+net_admin", "/usr/bin/env", preload, config,
				     path_of("tests/apps/tcpclient"), "10.0.1.1",
				     TRAFFIC_PORT),
				NULL),
		     0);
	traffic_pairs(&b, "10.0.3.2-10.0.2.1");
	free(text);
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}
