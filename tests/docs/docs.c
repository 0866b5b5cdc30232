// SPDX-License-Identifier: MIT
/*
 * docs.c - what README.md, docs/cookbook.md and docs/faq.md tell users to type has its
 * effect
 *
 * One test for each section that has blocks: see tests/docs/run.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "skip.h"
#include "until.h"

#define SECTIONS_MAX 64
#define SECTION_MS   240000

struct section {
	char file[32], heading[96];
};

static const char *const files[] = { "README.md", "docs/cookbook.md", "docs/faq.md" };

/* Return: how many sections @file has, from @n on. */
static size_t read_sections(const char *file, struct section *sections, size_t n)
{
	char line[256], heading[96] = "";
	FILE *f = fopen(file, "re");
	bool fence = false;

	while (f && fgets(line, sizeof(line), f) && n < SECTIONS_MAX) {
		line[strcspn(line, "\n")] = '\0';
		if (!fence && (!strncmp(line, "# ", 2) || !strncmp(line, "## ", 3)))
			snprintf(heading, sizeof(heading), "%.95s",
				 strchr(line, ' ') + 1);
		if (strncmp(line, "```", 3) != 0)
			continue;
		fence = !fence;
		if (!fence || !strcmp(line, "```") ||
		    (n && !strcmp(sections[n - 1].heading, heading)))
			continue;
		snprintf(sections[n].file, sizeof(sections[n].file), "%s", file);
		strcpy(sections[n++].heading, heading);
	}
	if (f)
		fclose(f);
	return n;
}

ParameterizedTestParameters(docs, commands_do_what_the_text_says)
{
	static struct section sections[SECTIONS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		n = read_sections(files[i], sections, n);
	return cr_make_param_array(struct section, sections, n);
}

/* Return: the exit status of tests/docs/run; the caller frees what it printed. */
static int run_section(const char *file, const char *heading, char **ret_said)
{
	char stage[PATH_MAX];
	/* Its processes end with it. */
	const char *argv[] = { "unshare",
			       "-nmpf",
			       "--kill-child",
			       "--mount-proc",
			       "tests/docs/run",
			       file,
			       heading,
			       built("stage", stage, sizeof(stage)),
			       NULL };
	struct proc p;
	int r;

	cr_assert_eq(proc_start(&p, NULL, argv, NULL), 0);
	proc_eof(&p);
	r = proc_wait(&p, SECTION_MS);
	*ret_said = proc_errors(&p);
	proc_end(&p);
	return r;
}

ParameterizedTest(struct section *section, docs, commands_do_what_the_text_says)
{
	char *said;
	int r;

	NEED_SANDBOX();
	r = run_section(section->file, section->heading, &said);
	cr_expect_eq(r, 0, "%s, \"%s\": %d\n%s", section->file, section->heading, r,
		     said);
	free(said);
}

Test(docs, wrong_text_fails)
{
	static const char *const wrong[][2] = {
		{ "command", "exit 1 of:" },
		{ "effect", "broken.md: effect: line" },
		{ "path", "names no file" },
		{ "elsewhere", "does not execute" },
	};
	char *said;

	NEED_SANDBOX();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		cr_expect_neq(run_section("tests/docs/broken.md", wrong[i][0], &said), 0);
		cr_expect(strstr(said, wrong[i][1]), "%s: %s", wrong[i][0], said);
		free(said);
	}
}
