// SPDX-License-Identifier: MIT
/*
 * lint_tree.c - tools/lint-tree rejects each kind of breach, and names the files
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct breach {
	char script[400]; /* run in the root of a tree that has no breach */
	char says[80];	  /* a line of its output; "": nothing, and success */
};

static const char tree[] =
	"mkdir -p include shim/low shim/high tools && "
	"printf 'shim/low/*\\nshim/high/*\\n' >order && "
	"printf 'int low_get(void);\\n' >shim/low/low.h && "
	"printf 'int high_get(void);\\n' >shim/high/high.h && "
	"printf '#include \"low.h\"\\nint low_get(void)\\n{\\n\\treturn 1;\\n}\\n' "
	">shim/low/low.c && "
	"printf '#include \"high.h\"\\n#include \"shim/low/low.h\"\\n"
	"int high_get(void)\\n{\\n\\treturn low_get();\\n}\\n' >shim/high/high.c";

ParameterizedTestParameters(lint, breach_is_named)
{
	static struct breach all[] = {
		{ "true", "" },
		{ "sed -i '1i #include \"shim/high/high.h\"' shim/low/low.c",
		  "shim/low/low.c: must not include shim/high/high.h (order)" },
		{ "printf '#include \"b.h\"\\n' >shim/low/a.h; "
		  "printf '#pragma once\\n#include \"b.h\"\\n' >shim/low/a.h; "
		  "printf '#pragma once\\n#include \"a.h\"\\n' >shim/low/b.h",
		  "shim/low/b.h: circle with shim/low/a.h" },
		{ "mkdir shim/low/deep; "
		  "printf '#include \"../../high/high.h\"\\n' >shim/low/deep/x.h",
		  "shim/low/deep/x.h:1:#include \"../../high/high.h\"" },
		{ "mkdir shim/other; touch shim/other/x.c; "
		  "sed -i '1i #include \"shim/other/x.h\"' shim/high/high.c; "
		  "touch shim/other/x.h",
		  "shim/other/x.h: not in order" },
		{ "printf 'static int low_get(void)\\n{\\n\\treturn 1;\\n}\\n' "
		  ">shim/low/z.c",
		  "shim/low/z.c: low_get() is also in shim/low/low.c" },
		{ "printf 'static int run(void)\\n{\\n\\treturn 1;\\n}\\n' >tools/z.c",
		  "tools/z.c: run() is one word" },
	};

	return cr_make_param_array(struct breach, all, sizeof(all) / sizeof(*all));
}

ParameterizedTest(struct breach *breach, lint, breach_is_named)
{
	char command[2048 + PATH_MAX], dir[] = "/tmp/lint-tree-XXXXXX", cwd[PATH_MAX];
	struct proc p;
	char *out;
	int r;

	cr_assert_not_null(mkdtemp(dir));
	cr_assert_not_null(getcwd(cwd, sizeof(cwd)));
	snprintf(command, sizeof(command),
		 "cd %s && { %s; } && { %s; } && "
		 "%s/tools/lint-tree order -I.",
		 dir, tree, breach->script, cwd);
	cr_assert_eq(proc_start(&p, NULL, ARGS("/bin/bash", "-c", command), NULL), 0);
	r = proc_wait(&p, 60000);
	out = proc_output(&p);
	proc_end(&p);
	proc_run(NULL, NULL, ARGS("/bin/rm", "-r", dir));

	cr_expect_eq(r != 0, *breach->says != '\0', "%s: exit status %d", breach->script,
		     r);
	cr_expect(strstr(out, breach->says), "%s: %s", breach->script, out);
	free(out);
}
