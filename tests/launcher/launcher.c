// SPDX-License-Identifier: MIT
/*
 * launcher.c - run programs with and without mptcpaddr, and check its output
 */
#include "launcher.h"
#include "until.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARGS_MAX 32

void bench_open(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	cr_assert_eq(world_open(&b->world, 3), 0);
	cr_assert_eq(host_path_manager(&b->world.client, PM_USERSPACE), 0);
	strcpy(b->home, "/run/launcher.XXXXXX");
	cr_assert(mkdtemp(b->home));
	cr_assert_eq(chmod(b->home, 0755), 0);
}

void bench_close(struct bench *b)
{
	world_close(&b->world);
}

const char *path_of(const char *name)
{
	static char paths[16][PATH_MAX];
	static unsigned int next;

	next = (next + 1) % 16;
	return built(name, paths[next], PATH_MAX);
}

static const char *expand(const char *arg)
{
	char name[64];

	if (arg[0] != '@')
		return arg;
	if (arg[1] != '@')
		return path_of(arg + 1);
	snprintf(name, sizeof(name), "tests/launcher-progs/%s", arg + 2);
	return path_of(name);
}

void start(struct bench *b, struct proc *p, const char *const env[],
	   const char *const argv[])
{
	const char *args[ARGS_MAX] = { NULL }, *vars[ARGS_MAX] = { NULL };
	char home[128];
	int i;

	for (i = 0; argv[i]; i++) {
		cr_assert_lt(i, ARGS_MAX - 1);
		args[i] = expand(argv[i]);
	}
	snprintf(home, sizeof(home), "XDG_CONFIG_HOME=%s", b->home);
	vars[0] = home;
	/* A directory that may not be searched turns "not found" into another error. */
	vars[1] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	for (i = 0; env && env[i]; i++)
		vars[i + 2] = env[i];
	cr_assert_eq(proc_start(p, &b->world.client, args, vars), 0);
}

struct said run(struct bench *b, const char *const env[], const char *const argv[])
{
	struct said said = { 0 };
	struct proc p;

	start(b, &p, env, argv);
	proc_eof(&p);
	said.status = proc_wait(&p, EFFECT_MS);
	said.out = proc_output(&p);
	said.err = proc_errors(&p);
	proc_end(&p);
	return said;
}

void said_free(struct said *said)
{
	free(said->out);
	free(said->err);
}

int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

int times(const struct said *said, const char *text)
{
	return count(said->err, text);
}

void shell(struct bench *b, const char *command)
{
	struct said said = run(b, NULL, ARGS("/bin/sh", "-ec", command));

	cr_assert_eq(said.status, 0, "%s: %s", command, said.err);
	said_free(&said);
}

void says(struct bench *b, const char *const argv[], int status, const char *words)
{
	struct said said = run(b, NULL, argv);

	cr_expect_eq(said.status, status, "%d, not %d: %s%s", said.status, status,
		     said.out, said.err);
	cr_expect(strstr(said.out, words) || times(&said, words) == 1,
		  "no \"%s\" in: %s%s", words, said.out, said.err);
	said_free(&said);
}

void user_pool(struct bench *b, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/mptcpaddr", b->home);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/mptcpaddr/%s", b->home, name);
	put_file(path, text, 0644);
}

void warned_once(struct bench *b, const char *const argv[], const char *words)
{
	const char *under[ARGS_MAX] = { "@mptcpaddr", "run",
					words ? "--no-supervise" : "--" };
	struct said native = run(b, NULL, argv), said;
	char *copy = strdup(words ?: ""), *word, *save;
	int i;

	for (i = 0; argv[i]; i++)
		under[3 + i] = argv[i];
	said = run(b, NULL, under);
	cr_assert_eq(said.status, native.status, "%s: %d, not %d: %s", argv[0],
		     said.status, native.status, said.err);
	cr_assert_str_eq(said.out, native.out);
	cr_assert_eq(times(&said, WARNING), words ? 1 : 0, "%s: %s", argv[0], said.err);
	for (word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save))
		cr_expect_eq(times(&said, word), 1, "not once \"%s\": %s", word,
			     said.err);
	/* Nothing else, such as an error of the dynamic linker. */
	if (!native.err[0] && words)
		cr_expect(!strncmp(said.err, WARNING, strlen(WARNING)) &&
				  strchr(said.err, '\n') ==
					  said.err + strlen(said.err) - 1,
			  "%s", said.err);
	else if (!words)
		cr_expect_str_eq(said.err, native.err);
	free(copy);
	said_free(&native);
	said_free(&said);
}

/* 00010000 is a listening socket; a bound one refuses connections. */
void wait_for_broker(struct bench *b)
{
	static const char wait[] =
		"for i in $(seq 450); do grep -q ' 00010000 .* @mptcpaddr/broker$' "
		"/proc/net/unix && exit; sleep 0.02; done; exit 1";

	cr_assert_eq(proc_run(&b->world.client, NULL, ARGS("/bin/sh", "-c", wait)), 0,
		     "no broker listens");
}

void start_broker(struct bench *b, struct proc *broker)
{
	cr_assert_eq(
		proc_start(broker, &b->world.client, ARGS(path_of("mptcpaddrd")), NULL),
		0);
	wait_for_broker(b);
}

void put_file(const char *path, const char *text, unsigned int mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}
