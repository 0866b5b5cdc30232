// SPDX-License-Identifier: MIT
/*
 * wordings.c - what run and doctor say in other words where the cause differs a little
 */
#include "traffic.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLEAN "no problems found"

static void says(struct bench *b, const char *const argv[], int status, const char *words)
{
	struct said said = run(b, NULL, argv);

	cr_expect_eq(said.status, status, "%d, not %d: %s%s", said.status, status,
		     said.out, said.err);
	cr_expect(strstr(said.out, words) || times(&said, words) == 1,
		  "no \"%s\" in: %s%s", words, said.out, said.err);
	said_free(&said);
}

static void shell(struct bench *b, const char *command)
{
	struct said said = run(b, NULL, ARGS("/bin/sh", "-ec", command));

	cr_assert_eq(said.status, 0, "%s: %s", command, said.err);
	said_free(&said);
}

/* As before Linux 6.15: the older sysctl alone. The kernel's own file, and it works. */
static const char older[] =
	"mkdir -p /run/older && touch /run/older/pm_type\n"
	"mount --bind /proc/sys/net/mptcp/pm_type /run/older/pm_type\n"
	"mount --rbind /run/older /proc/sys/net/mptcp\n"
	"[ \"$1\" = 1 ] && sysctl -qw net.mptcp.pm_type=1\n"
	"shift; exec \"$@\"";

#define OLDER(typed) "unshare", "-m", "/bin/sh", "-c", older, "sh", typed

Test(wordings, older_setting_is_named_where_there_is_no_other, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	says(&b, ARGS(OLDER("0"), "@mptcpaddr", "run", "@@hello"), 1,
	     "pools have no effect; type: sysctl -w net.mptcp.pm_type=1\n");
	says(&b, ARGS(OLDER("0"), "@mptcpaddr", "doctor"), 1,
	     "\n    type: sysctl -w net.mptcp.pm_type=1\n");
	/* Typing it ends the finding. */
	says(&b, ARGS(OLDER("1"), "@mptcpaddr", "doctor", "-v"), 0,
	     "the userspace path manager handles new connections "
	     "(net.mptcp.pm_type=1)\n");
	bench_close(&b);
}

/* A copy of hello whose header says @machine and @class. */
static void header(struct bench *b, unsigned int machine, unsigned char class,
		   const char *words)
{
	const unsigned char bytes[] = { machine & 0xff, machine >> 8 };
	int fd;

	shell(b, "rm -f /run/hello-other");
	says(b, ARGS("cp", "-v", "@@hello", "/run/hello-other"), 0, "hello-other");
	fd = open("/run/hello-other", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, bytes, 2, offsetof(Elf64_Ehdr, e_machine)), 2);
	cr_assert_eq(pwrite(fd, &class, 1, EI_CLASS), 1);
	close(fd);
	says(b, ARGS("@mptcpaddr", "run", "/run/hello-other"), 126, words);
}

Test(wordings, machine_of_a_program_is_named, TIMEOUT)
{
	static const struct {
		unsigned int machine;
		unsigned char class;
		const char *words;
	} cases[] = {
		{ EM_ARM, ELFCLASS32, "is a 32-bit Arm program" },
		{ EM_RISCV, ELFCLASS64, "is a 64-bit RISC-V program" },
		{ EM_PPC64, ELFCLASS64, "is a 64-bit PowerPC program" },
		{ EM_PPC, ELFCLASS32, "is a 32-bit PowerPC program" },
		{ EM_S390, ELFCLASS64, "is a 64-bit S/390 program" },
		{ EM_MIPS, ELFCLASS64, "is a 64-bit MIPS program" },
		{ EM_IA_64, ELFCLASS64, "is a 64-bit machine 50 program" },
	};
	struct bench b;
	size_t i;

	NEED_SANDBOX();
	bench_open(&b);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		header(&b, cases[i].machine, cases[i].class, cases[i].words);
	bench_close(&b);
}

/* The one that this system has, under another's name: the program runs. */
Test(wordings, c_library_without_a_known_name_is_told_by_its_linker, TIMEOUT)
{
	static const char linker[28] = "/run/ld-uClibc.so.0";
	static char bytes[1 << 20];
	struct bench b;
	ssize_t n;
	char *at;
	int fd;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "cp -L /lib64/ld-linux-x86-64.so.2 /run/ld-uClibc.so.0");
	says(&b, ARGS("cp", "-v", "@@hello", "/run/hello-uclibc"), 0, "hello-uclibc");
	fd = open("/run/hello-uclibc", O_RDWR | O_CLOEXEC);
	n = read(fd, bytes, sizeof(bytes));
	cr_assert(n > 0 && (at = memmem(bytes, n, "/lib64/ld-linux-x86-64.so.2", 28)));
	cr_assert_eq(pwrite(fd, linker, sizeof(linker), at - bytes), 28);
	close(fd);
	warned_once(&b, ARGS("/run/hello-uclibc", "a"),
		    "uses another C library (ld-uClibc.so.0)|a build for glibc");
	bench_close(&b);
}

/* What was opened has no name by the time that the program would look for it. */
Test(wordings, pool_that_has_no_name_any_more_stops_the_launcher, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/gone.conf", "[pool]\nendpoint = 10.0.2.2\n", 0644);
	says(&b,
	     ARGS("/bin/sh", "-c",
		  "exec </run/gone.conf && rm /run/gone.conf && exec \"$@\"", "sh",
		  "@mptcpaddr", "run", "--pool", "/proc/self/fd/0", "echo", "ran"),
	     125, "mptcpaddr: /proc/self/fd/0: No such file or directory\n");
	bench_close(&b);
}

Test(wordings, pool_that_is_named_and_not_there_is_a_warning, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, ARGS("MPTCPADDR_CONFIG=/run/nowhere.conf"),
		   ARGS("@mptcpaddr", "run", "-v", "@@hello"));
	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said,
			   WARNING "/run/nowhere.conf: No such file or directory; "
				   "no pool until this is fixed; run \"mptcpaddr check "),
		     1, "%s", said.err);
	/* And its file, as no script's. */
	cr_expect_eq(times(&said, "mptcpaddr: program: /"), 1, "%s", said.err);
	cr_expect_eq(times(&said, ", run by"), 0, "%s", said.err);
	cr_expect_eq(said.status, 1);
	said_free(&said);
	bench_close(&b);
}

static void one_pool(struct bench *b, const char *text, const char *words)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/mptcpaddr", b->home);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/mptcpaddr/curl.conf", b->home);
	put_file(path, text, 0644);
	says(b, ARGS("@mptcpaddr", "doctor"), 1, words);
}

Test(wordings, doctor_tells_where_an_address_is_missing, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	one_pool(
		&b, "[pool]\nendpoint = 10.0.2.2 dev eth77\n",
		"curl.conf:2: eth77 is not an interface of this machine (now)\n    do: ");
	one_pool(&b, "[pool]\nendpoint = 10.0.3.2 dev c1\n",
		 "curl.conf:2: 10.0.3.2 is not an address of c1 (now)\n    do: ");
	bench_close(&b);
}

Test(wordings, doctor_tells_that_a_folder_cannot_be_read, TIMEOUT)
{
	char path[128], words[192];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	snprintf(path, sizeof(path), "%s/mptcpaddr", b.home);
	put_file(path, "a file, and no folder", 0644);
	snprintf(words, sizeof(words),
		 "problem: %s: Not a directory\n    do: make it a directory that ", path);
	says(&b, ARGS("@mptcpaddr", "doctor"), 1, words);
	bench_close(&b);
}

/* AF_NETLINK, NETLINK_ROUTE, EPERM: as a sandbox without netlink sockets. */
Test(wordings, addresses_that_cannot_be_read_are_told, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@tests/apps/deny", "16", "0", "1", path_of("mptcpaddr"), "doctor"),
	     1,
	     "problem: the addresses of this machine: Operation not permitted\n    do: "
	     "allow netlink sockets for this program");
	says(&b, ARGS("@tests/apps/deny", "16", "0", "1", path_of("mptcpaddr"), "check"),
	     1,
	     "mptcpaddr check: the addresses of this machine: Operation not permitted\n");
	bench_close(&b);
}

static void cannot_set(struct bench *b, const char *name, const char *const argv[])
{
	char wanted[64], preload[PATH_MAX + 16], words[128];
	struct said said;

	snprintf(wanted, sizeof(wanted), "NOSETENV=%s", name);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
		 path_of("tests/launcher-progs/nosetenv.so"));
	snprintf(words, sizeof(words),
		 "mptcpaddr: %s cannot be set: Cannot allocate memory\n", name);
	said = run(b, ARGS(wanted, preload), argv);
	cr_expect_eq(times(&said, words), 1, "%s", said.err);
	cr_expect_eq(said.status, 125);
	cr_expect_str_eq(said.out, "");
	said_free(&said);
}

Test(wordings, environment_that_cannot_be_set_stops_the_launcher, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/good.conf", "[pool]\nendpoint = 10.0.2.2\n", 0644);
	cannot_set(&b, "LD_PRELOAD", ARGS("@mptcpaddr", "run", "echo", "ran"));
	cannot_set(&b, "MPTCPADDR_CONFIG",
		   ARGS("@mptcpaddr", "run", "--pool", "/run/good.conf", "echo", "ran"));
	cannot_set(&b, "MPTCPADDR_BACKEND",
		   ARGS("@mptcpaddr", "run", "--backend", "direct", "echo", "ran"));
	bench_close(&b);
}

Test(wordings, doctor_tells_what_the_kernel_is_new_enough_for, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("setarch", "--uname-2.6", "@mptcpaddr", "doctor", "-v"), 0,
	     "endpoints with \"dev\" and \"backup\" no (6.9), the kernel's own laminar "
	     "endpoints no (6.18)\n");
	says(&b, ARGS("@mptcpaddr", "doctor", "-v"), 0,
	     "endpoints with \"dev\" and \"backup\" yes (6.9), the kernel's own laminar "
	     "endpoints ");
	bench_close(&b);
}

Test(wordings, doctor_tells_whether_other_users_have_a_broker, TIMEOUT)
{
	struct proc broker = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "doctor", "-v"), 0,
	     "may manage their paths; other users have no broker\n");
	start_broker(&b, &broker);
	says(&b, ARGS("@mptcpaddr", "doctor", "-v"), 0, "may manage their paths\n");
	proc_end(&broker);
	bench_close(&b);
}

/* A rule that answers instead of keeping silent. */
Test(wordings, doctor_tells_that_the_firewall_rejects_the_option, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_nft(&b.world.client,
			      "table inet t { chain in { type filter hook input priority "
			      "0; tcp option mptcp exists reject with tcp reset; }; }"),
		     0);
	says(&b, ARGS("@mptcpaddr", "doctor"), 1,
	     "the firewall refuses packets: table inet t, chain in: tcp option mptcp");
	shell(&b, "nft flush ruleset");
	says(&b, ARGS("@mptcpaddr", "doctor"), 0, CLEAN);
	bench_close(&b);
}

Test(wordings, program_that_the_installed_pool_file_leaves_alone_is_told, TIMEOUT)
{
	char path[128];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	snprintf(path, sizeof(path), "%s/mptcpaddr", b.home);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/mptcpaddr/default.conf", b.home);
	put_file(path, "[app]\nmptcp = no\n", 0644);
	warned_once(
		&b, ARGS("@@hello", "a"),
		"/mptcpaddr/default.conf says mptcp = no, so the program stays plain "
		"TCP; "
		"write ~/.config/mptcpaddr/hello.conf, or name a pool file with --pool");
	/* A file of its own says so on purpose. */
	snprintf(path, sizeof(path), "%s/mptcpaddr/hello.conf", b.home);
	put_file(path, "[app]\nmptcp = no\n", 0644);
	warned_once(&b, ARGS("@@hello", "a"), NULL);
	bench_close(&b);
}

Test(wordings, endpoints_for_some_destinations_are_told_with_these, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/some.conf",
		 "[pool]\nendpoint = 10.0.2.2\n[pool \"192.0.2.0/24\"]\nendpoint = "
		 "10.0.3.2\n",
		 0644);
	said = run(
		&b, NULL,
		ARGS("@mptcpaddr", "run", "-v", "--pool", "/run/some.conf", "@@hello"));
	cr_expect_eq(times(&said, "endpoint: 10.0.2.2 id 1 laminar (line 2)\n"), 1, "%s",
		     said.err);
	cr_expect_eq(times(&said, "endpoint: 10.0.3.2 id 1 laminar (line 4), to "
				  "192.0.2.0/24\n"),
		     1, "%s", said.err);
	said_free(&said);
	bench_close(&b);
}

Test(wordings, back_end_that_is_none_is_told, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, ARGS("MPTCPADDR_BACKEND=brocker"),
		   ARGS("@mptcpaddr", "run", "@@hello"));
	cr_expect_eq(times(&said, WARNING "MPTCPADDR_BACKEND is \"brocker\", not broker, "
					  "direct or none: pools have no effect; "),
		     1, "%s", said.err);
	said_free(&said);
	bench_close(&b);
}

/* Where systemd runs and has the unit, and elsewhere. */
Test(wordings, way_to_start_the_broker_is_the_one_that_there_is, TIMEOUT)
{
	static const char unit[] =
		"mount -t tmpfs none /usr/local/lib && "
		"mkdir -p /usr/local/lib/systemd/system "
		"/run/systemd/system && "
		"touch /usr/local/lib/systemd/system/mptcpaddrd.service "
		"&& exec \"$@\"";
	static const char alone[] =
		"mount -t tmpfs none /run && cp \"$1\" \"$2\" \"$3\" /run && shift 3 && "
		"exec \"$@\"";
	char beside[PATH_MAX + 64];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	/* It is where the tool is, and that is in no folder of PATH. */
	snprintf(beside, sizeof(beside), "pools have no effect; type: %s -u\n",
		 path_of("mptcpaddrd"));
	says(&b,
	     ARGS("unshare", "-m", "/bin/sh", "-c",
		  "mount -t tmpfs none /run && exec \"$@\"", "sh", "@mptcpaddr", "run",
		  "--backend", "broker", "@@hello"),
	     1, beside);
	says(&b,
	     ARGS("unshare", "-m", "/bin/sh", "-c", alone, "sh", "@mptcpaddr",
		  "@libmptcpaddr.so", "@libmptcpaddr-pm.so", "/run/mptcpaddr", "run",
		  "--backend", "broker", "@@hello"),
	     1, "pools have no effect; type: mptcpaddrd -u\n");
	says(&b,
	     ARGS("unshare", "-m", "/bin/sh", "-c", unit, "sh", "@mptcpaddr", "run",
		  "--backend", "broker", "@@hello"),
	     1, "pools have no effect; type: systemctl start mptcpaddrd\n");
	bench_close(&b);
}

Test(wordings, what_wants_root_is_to_be_typed_with_sudo_by_others, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	if (!getenv("MPTCPADDR_TEST_USERS"))
		SKIP("there are no other users in this sandbox");
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	shell(&b, "mkdir /run/all && chmod 755 /run/all");
	says(&b,
	     ARGS("cp", "-v", "@mptcpaddr", "@libmptcpaddr.so", "@libmptcpaddr-pm.so",
		  "/run/all"),
	     0, "mptcpaddr");
	says(&b,
	     ARGS("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
		  "/run/all/mptcpaddr", "doctor"),
	     1, "\n    type: sudo sysctl -w net.mptcp.path_manager=userspace\n");
	says(&b, ARGS("@mptcpaddr", "doctor"), 1,
	     "\n    type: sysctl -w net.mptcp.path_manager=userspace\n");
	bench_close(&b);
}

/* What follows the last "type: " in what doctor says without rights, without "...". */
static void typed_for_rights(struct bench *b, char *text, size_t size)
{
	struct said said = run(
		b, NULL,
		ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "doctor"));
	char *at = strstr(said.out, "    or type: sudo setpriv "), *end;

	cr_assert(at, "%s", said.out);
	at += strlen("    or type: ");
	end = strstr(at, " run ...\n");
	cr_assert(end, "%s", at);
	snprintf(text, size, "%.*s", (int)(end - at), at);
	said_free(&said);
}

/* sudo(8) sets HOME; the line keeps it, and so the program keeps its pool file. */
Test(wordings, line_that_gives_a_program_its_rights_works_as_it_is, TIMEOUT)
{
	char typed[PATH_MAX + 512], script[PATH_MAX + 1024], expected[PATH_MAX + 512];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	typed_for_rights(&b, typed, sizeof(typed));
	snprintf(expected, sizeof(expected),
		 "sudo setpriv --reuid \"$(id -u)\" --regid \"$(id -g)\" --init-groups "
		 "--inh-caps +net_admin --ambient-caps +net_admin env HOME=\"$HOME\" %s",
		 path_of("mptcpaddr"));
	cr_expect_str_eq(typed, expected);
	/* run says the same line. */
	snprintf(script, sizeof(script), "; or type: %s run ...\n", typed);
	says(&b,
	     ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "run",
		  "@@hello"),
	     1, script);
	shell(&b,
	      "mkdir -p /run/rights-bin /run/rights-me/.config/mptcpaddr; printf "
	      "'#!/bin/sh\nHOME=/root exec \"$@\"\n' >/run/rights-bin/sudo; chmod 755 "
	      "/run/rights-bin/sudo; printf '[pool]\nendpoint = 10.0.2.2\n' "
	      ">/run/rights-me/.config/mptcpaddr/hello.conf");
	snprintf(script, sizeof(script),
		 "unset XDG_CONFIG_HOME; HOME=/run/rights-me PATH=/run/rights-bin:$PATH; "
		 "%s run -v \"$1\"",
		 typed);
	says(&b, ARGS("/bin/sh", "-c", script, "sh", "@@hello"), 1,
	     "pool file: /run/rights-me/.config/mptcpaddr/hello.conf (for \"hello\")\n");
	bench_close(&b);
}

/* The broker goes on with what it read before; without one there is nothing. */
Test(wordings, pool_that_the_broker_still_has_is_told, TIMEOUT)
{
	char path[128], ending[512];
	struct proc broker = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	snprintf(path, sizeof(path), "%s/mptcpaddr", b.home);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/mptcpaddr/hello.conf", b.home);
	put_file(path, "[pool]\nendpoint = 10.0.2.2 id 300\n", 0644);
	snprintf(ending, sizeof(ending),
		 WARNING
		 "%s:2: local id 300 is not in 1-255; no pool until this is fixed; "
		 "run \"mptcpaddr check %s\" to list all errors\n",
		 path, path);
	says(&b, ARGS("@mptcpaddr", "run", "@@hello"), 1, ending);
	start_broker(&b, &broker);
	says(&b, ARGS("@mptcpaddr", "run", "--backend", "direct", "@@hello"), 1, ending);
	says(&b, ARGS("@mptcpaddr", "run", "@@hello"), 1,
	     "; no pool until this is fixed, unless the broker has an older one from "
	     "that "
	     "file; run \"mptcpaddr check ");
	proc_end(&broker);
	bench_close(&b);
}

/* tcpdump(8) takes root as well. */
Test(wordings, doctor_has_sudo_before_tcpdump, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	if (!getenv("MPTCPADDR_TEST_USERS"))
		SKIP("there are no other users in this sandbox");
	bench_open(&b);
	shell(&b, "mkdir /run/tcpdump-all && chmod 755 /run/tcpdump-all");
	says(&b,
	     ARGS("cp", "-v", "@mptcpaddr", "@libmptcpaddr.so", "@libmptcpaddr-pm.so",
		  "/run/tcpdump-all"),
	     0, "mptcpaddr");
	traffic_serve(&b, &server, true, NULL);
	traffic_connect(&b, &client, "[pool]\nendpoint = 10.0.2.2\n", NULL);
	says(&b, ARGS("@mptcpaddr", "doctor"), 1,
	     "\n    type: tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # here and "
	     "on the server: where is mptcp missing?\n");
	says(&b,
	     ARGS("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
		  "/run/tcpdump-all/mptcpaddr", "doctor"),
	     1, "\n    type: sudo tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # ");
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

Test(wordings, each_command_tells_how_it_is_used, TIMEOUT)
{
	static const char *const names[] = { "run",    "check",	 "doctor", "endpoint",
					     "limits", "enable", "disable" };
	char words[64];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(words, sizeof(words), "Usage:\n  mptcpaddr %s ", names[i]);
		says(&b, ARGS("@mptcpaddr", names[i], "--help"), 0, words);
		says(&b, ARGS("@mptcpaddr", "--help"), 0, words + strlen("Usage:\n"));
	}
	says(&b, ARGS("@mptcpaddr", "run", "--help"), 0,
	     "-b, --backend B   broker, direct (a thread in PROGRAM), none (no pool)\n");
	says(&b, ARGS("@mptcpaddr", "endpoint", "--help"), 0,
	     "\t  --pid PID         of ");
	says(&b, ARGS("@mptcpaddr", "limits", "--help"), 0, "\t  --program NAME    ");
	says(&b, ARGS("@mptcpaddr", "disable", "--help"), 0, "\t  --root DIRECTORY  of ");
	bench_close(&b);
}
