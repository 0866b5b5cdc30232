// SPDX-License-Identifier: MIT
/*
 * completions.c - what the shells offer after the names of the tools
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "skip.h"
#include "until.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static char *run(const char *const argv[])
{
	struct proc p;
	char *out, *err;
	int r;

	cr_assert_eq(proc_start(&p, NULL, argv, NULL), 0);
	proc_eof(&p);
	r = proc_wait(&p, EFFECT_MS);
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

/* What a shell offers, sorted; of options, the long ones. */
static const struct offer {
	const char *line, *words;
} offers[] = {
	{ "mptcpaddr ",
	  "check disable doctor enable endpoint init limits probe run service status" },
	{ "mptcpaddr --", "--help --version" },
	{ "mptcpaddr pr", "probe" },
	{ "mptcpaddr run --",
	  "--backend --help --no-supervise --pool --supervise --verbose" },
	{ "mptcpaddr run --backend ", "broker direct none" },
	{ "mptcpaddr init --", "--help --stdout" },
	{ "mptcpaddr check --", "--broker --help" },
	{ "mptcpaddr probe --", "--help --json --pool --program --wait" },
	{ "mptcpaddr status --", "--help --json" },
	{ "mptcpaddr doctor --", "--help --json --since --verbose" },
	{ "mptcpaddr endpoint ", "add change delete flush show" },
	{ "mptcpaddr endpoint --pid 7 ", "add change delete flush show" },
	{ "mptcpaddr endpoint --", "--help --pid --program" },
	{ "mptcpaddr endpoint add ",
	  "backup cost dev fullmesh id laminar metered nofirst port signal subflow" },
	{ "mptcpaddr endpoint add 10.0.0.1 no", "nofirst" },
	{ "mptcpaddr endpoint change id 3 ",
	  "backup dev fullmesh id metered nobackup nofullmesh nometered" },
	{ "mptcpaddr endpoint delete ", "dev id" },
	{ "mptcpaddr endpoint show ", "id" },
	{ "mptcpaddr limits ", "set show" },
	{ "mptcpaddr limits set subflows 3 ", "add_addr_accepted subflows" },
	{ "mptcpaddr service ", "add remove" },
	{ "mptcpaddr service add --", "--help --pool --root" },
	{ "mptcpaddr service remove --", "--help --root" },
	{ "mptcpaddr enable --", "--help --pool --root" },
	{ "mptcpaddr disable --", "--help --root" },
	{ "mptcpinfo --pro", "--process --prometheus" },
	{ "mptcpinfo ", "run" },
	{ "mptcpaddrd --", "--config --help --state --userspace --version" },
};

#define OFFERS_MAX 64

/* By the shell's own machinery, as if Tab were typed after each line. */
static void offers_are(const char *shell, const struct offer *list, size_t n)
{
	static const char fish[] =
		"for f in config/completions/*.fish; source $f; end; for line in $argv; "
		"complete -C $line | cut -f 1 | grep -v -- '^-[a-z]$' | LC_ALL=C sort -u "
		"| "
		"paste -sd' '; end";
	const char *argv[OFFERS_MAX + 8] = { "/usr/bin/python3",
					     "tests/install/offers.py", shell };
	char *out, *rest, *line;
	int argc = 3;

	cr_assert_leq(n, OFFERS_MAX);
	if (!strcmp(shell, "fish")) {
		argc = 0;
		argv[argc++] = "env";
		argv[argc++] = "HOME=/run";
		argv[argc++] = "fish";
		argv[argc++] = "--no-config";
		argv[argc++] = "-c";
		argv[argc++] = fish;
	}
	for (size_t i = 0; i < n; i++)
		argv[argc++] = list[i].line;
	out = rest = run(argv);
	for (size_t i = 0; i < n; i++) {
		line = strsep(&rest, "\n") ?: "";
		cr_expect_str_eq(line, list[i].words, "%s: \"%s\": \"%s\", not \"%s\"",
				 shell, list[i].line, line, list[i].words);
	}
	free(out);
}

static void parses(const char *shell, const char *option, const char *pattern)
{
	char script[256];

	snprintf(script, sizeof(script),
		 "for f in config/completions/%s; do %s %s \"$f\"; done", pattern, shell,
		 option);
	free(run(ARGS("/bin/bash", "-ec", script)));
}

static void shell_offers(const char *shell)
{
	offers_are(shell, offers, sizeof(offers) / sizeof(*offers));
}

Test(completions, bash_offers_what_the_tools_take, .timeout = 240)
{
	NEED_SANDBOX();
	shell_offers("bash");
}

Test(completions, zsh_offers_what_the_tools_take, .timeout = 240)
{
	NEED_SANDBOX();
	NEED_SHELL("/usr/bin/zsh");
	parses("zsh", "-fn", "_*");
	shell_offers("zsh");
}

Test(completions, fish_offers_what_the_tools_take, .timeout = 240)
{
	NEED_SANDBOX();
	NEED_SHELL("/usr/bin/fish");
	parses("fish", "--no-execute", "*.fish");
	shell_offers("fish");
}

Test(completions, programs_and_interfaces_are_offered, .timeout = 240)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	static const struct offer list[] = {
		{ "mptcpaddr run mptcpi", "mptcpize" },
		{ "mptcpaddr run -v --backend direct mptcpi", "mptcpize" },
		{ "mptcpaddr init mptcpi", "mptcpize" },
		{ "mptcpinfo run mptcpi", "mptcpize" },
		{ "mptcpinfo run --rep", "--report" },
		{ "mptcpinfo run --report LICEN", "LICENSE" },
		{ "mptcpinfo run --report x -l mptcpi", "mptcpize" },
		{ "mptcpaddr endpoint add dev l", "lo" },
		{ "mptcpaddr check LICEN", "LICENSE" },
		{ "mptcpaddrd -c LICEN", "LICENSE" },
	};

	NEED_SANDBOX();
	for (size_t i = 0; i < 3; i++)
		offers_are(shells[i], list, sizeof(list) / sizeof(*list));
}

/* Programs with a pool file, in addition to files, and in addition to commands */
Test(completions, programs_with_a_pool_are_offered, .timeout = 240)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	static const struct offer list[] = {
		{ "mptcpaddr check LIC", "LICENSE LICurl" },
		{ "mptcpaddr check --broker LIC", "LICENSE LICurl" },
		{ "mptcpaddr check broke", "" },
		{ "mptcpaddr check qq", "qqcurl" },
		{ "mptcpaddr probe --program qq", "qqcurl" },
		{ "mptcpaddr endpoint --program qq", "qqcurl" },
		{ "mptcpaddr endpoint --program mptcpi", "mptcpize" },
	};

	NEED_SANDBOX();
	free(run(ARGS("/bin/sh", "-ec",
		      "mkdir -p /run/config/mptcpaddr; cd /run/config/mptcpaddr; "
		      "touch LICurl.conf qqcurl.conf broker.conf")));
	cr_assert_eq(setenv("XDG_CONFIG_HOME", "/run/config", 1), 0);
	for (size_t i = 0; i < 3; i++)
		offers_are(shells[i], list, sizeof(list) / sizeof(*list));
}

/* The long options that --help tells; the caller frees them. */
static char *told_options(const char *tool, const char *command)
{
	char script[PATH_MAX + 256], path[PATH_MAX], *told;

	snprintf(script, sizeof(script),
		 "{ '%s' %s --help | grep -o -- '--[a-z-]*[a-z]'; echo --help; } | "
		 "LC_ALL=C sort -u | paste -sd' '",
		 built(tool, path, sizeof(path)), command);
	told = run(ARGS("/bin/bash", "-c", script));
	told[strcspn(told, "\n")] = '\0';
	return told;
}

Test(completions, every_option_of_help_is_offered, .timeout = 240)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	static const char *const commands[] = {
		"init",	  "check",    "probe",	"status",
		"doctor", "endpoint", "limits", "enable"
	};
	char lines[8][64];
	struct offer list[9];

	NEED_SANDBOX();
	list[8] = (struct offer){ "mptcpinfo --", told_options("mptcpinfo", "") };
	for (size_t i = 0; i < 8; i++) {
		snprintf(lines[i], sizeof(lines[i]), "mptcpaddr %s --", commands[i]);
		list[i] = (struct offer){ lines[i],
					  told_options("mptcpaddr", commands[i]) };
	}
	for (size_t i = 0; i < 3; i++)
		offers_are(shells[i], list, 9);
}
