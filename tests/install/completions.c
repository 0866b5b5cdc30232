// SPDX-License-Identifier: MIT
/*
 * completions.c - what the shells offer behind "mptcpaddr" and "mptcpinfo"
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "skip.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define WAIT_MS	  20000

static char *run(const char *const argv[])
{
	struct proc p;
	char *out, *err;
	int r;

	cr_assert_eq(proc_start(&p, NULL, argv, NULL), 0);
	proc_eof(&p);
	r = proc_wait(&p, WAIT_MS);
	out = proc_output(&p);
	err = proc_errors(&p);
	cr_assert_eq(r, 0, "%s: %d: %s", argv[0], r, err);
	cr_assert_str_eq(err, "", "%s", err);
	free(err);
	proc_end(&p);
	return out;
}

#define NEED_SHELL(path)                    \
	do {                                \
		if (access(path, X_OK) < 0) \
			SKIP("no " path);   \
	} while (0)

/* The words that bash offers for @line, sorted, with blanks between them. */
static void bash_offers(const char *tool, const char *line, const char *expected)
{
	char script[2048], *out;

	snprintf(script, sizeof(script),
		 ". config/completions/%s.bash\n"
		 "COMP_WORDS=(%s '') COMP_LINE='%s '\n"
		 "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE}\n"
		 "compopt() { :; }\n"
		 "_%s %s '' \"${COMP_WORDS[COMP_CWORD-1]}\"\n"
		 "printf '%%s\\n' \"${COMPREPLY[@]}\" | LC_ALL=C sort | paste -sd' '\n",
		 tool, line, line, tool, tool);
	out = run(ARGS("/bin/bash", "--norc", "-c", script));
	out[strcspn(out, "\n")] = '\0';
	cr_expect_str_eq(out, expected, "%s: \"%s\", not \"%s\"", line, out, expected);
	free(out);
}

Test(completions, bash_offers_what_the_tools_take)
{
	char *devices;

	NEED_SANDBOX();
	bash_offers("mptcpaddr", "mptcpaddr",
		    "--help --version check disable doctor enable endpoint limits run");
	bash_offers("mptcpaddr", "mptcpaddr doctor", "--help --verbose -v");
	bash_offers("mptcpaddr", "mptcpaddr endpoint",
		    "--help --pid --program add change del flush show");
	bash_offers("mptcpaddr", "mptcpaddr limits set subflows 3",
		    "--pid --program add_addr_accepted subflows");
	bash_offers("mptcpaddr", "mptcpaddr run --backend", "broker direct none");
	devices = run(ARGS("/bin/bash", "-c", "cd /sys/class/net; echo *"));
	devices[strcspn(devices, "\n")] = '\0';
	bash_offers("mptcpaddr", "mptcpaddr endpoint add 10.0.0.1 dev", devices);
	free(devices);
}

/* Each long option that --help tells is offered, and no other. */
Test(completions, bash_offers_every_option_of_mptcpinfo)
{
	char *told, script[PATH_MAX + 256], tool[PATH_MAX];

	NEED_SANDBOX();
	snprintf(script, sizeof(script),
		 "{ '%s' --help | grep -o -- '--[a-z]\\+' ; echo run; } | LC_ALL=C sort "
		 "-u | "
		 "paste -sd' '",
		 built("mptcpinfo", tool, sizeof(tool)));
	told = run(ARGS("/bin/bash", "-c", script));
	told[strcspn(told, "\n")] = '\0';
	bash_offers("mptcpinfo", "mptcpinfo", told);
	free(told);
}

static void parses(const char *shell, const char *option, const char *pattern)
{
	char script[256];

	snprintf(script, sizeof(script),
		 "for f in config/completions/%s; do %s %s \"$f\"; done", pattern, shell,
		 option);
	free(run(ARGS("/bin/bash", "-ec", script)));
}

Test(completions, zsh_can_read_its_own)
{
	NEED_SHELL("/usr/bin/zsh");
	parses("zsh", "-fn", "_*");
}

/* What fish offers for @line after reading the completions of @tool. */
static void fish_offers(const char *tool, const char *line, const char *expected)
{
	char script[512], *out;

	snprintf(script, sizeof(script),
		 "source config/completions/%s.fish; complete -C '%s' | cut -f 1 | "
		 "LC_ALL=C sort | paste -sd' '",
		 tool, line);
	out = run(ARGS("/usr/bin/env", "HOME=/run", "fish", "--no-config", "-c", script));
	cr_expect_str_eq(out, expected, "%s: \"%s\"", line, out);
	free(out);
}

Test(completions, fish_offers_what_the_tools_take)
{
	NEED_SHELL("/usr/bin/fish");
	parses("fish", "--no-execute", "*.fish");
	fish_offers("mptcpaddr", "mptcpaddr ",
		    "check disable doctor enable endpoint limits run\n");
	fish_offers("mptcpaddr", "mptcpaddr run --backend ", "broker direct none\n");
	fish_offers("mptcpinfo", "mptcpinfo --even", "--events\n");
}
