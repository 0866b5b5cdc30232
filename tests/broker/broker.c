// SPDX-License-Identifier: MIT
/*
 * broker.c - a client with a broker, a server that announces, programs of ordinary users
 */
#include "broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mptcpaddr/uapi.h"
#include "shim.h"

#define ARGS_MAX  32
#define FILE_SIZE 400000

void put_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %s", path,
		  strerror(errno));
	chmod(path, 0644);
}

void lab_open(struct lab *lab, const char *const announced[])
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpserver", path, sizeof(path)),
				     LAB_PORT, NULL };
	int r;

	*lab = (struct lab){ .broker.pid = 0 };
	r = world_open(&lab->world, 4);
	cr_assert_eq(r, 0, "two hosts: %s", strerror(-r));
	cr_assert_eq(host_path_manager(&lab->world.server, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&lab->world.server, 8, 0), 0);
	for (; *announced; announced++) {
		const struct endpoint_spec e = { .addr = *announced, .flags = EP_SIGNAL };

		cr_assert_eq(endpoint_add(&lab->world.server, &e), 0, "%s", *announced);
	}
	cr_assert_eq(proc_start(&lab->server, &lab->world.server, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&lab->server, "listening")));
	snprintf(lab->dir, sizeof(lab->dir), "/run/lab-%d", getpid());
	cr_assert(mkdir(lab->dir, 0755) == 0 && chmod(lab->dir, 0755) == 0);
	snprintf(lab->pool, sizeof(lab->pool), "%s/pool.conf", lab->dir);
	snprintf(lab->config, sizeof(lab->config), "%s/broker.conf", lab->dir);
	put_text(lab->pool, POOL_23);
	cr_assert_eq(host_path_manager(&lab->world.client, PM_USERSPACE), 0);
}

void lab_close(struct lab *lab)
{
	proc_end(&lab->broker);
	proc_end(&lab->server);
	world_close(&lab->world);
}

void lab_broker(struct lab *lab, const char *config)
{
	char path[PATH_MAX], *said;
	const char *const argv[] = { lab->under, built("mptcpaddrd", path, sizeof(path)),
				     "-c",	 lab->config,
				     "-s",	 lab->dir,
				     NULL };
	bool ok;

	put_text(lab->config, config);
	cr_assert_eq(
		proc_start(&lab->broker, &lab->world.client, argv + !lab->under, NULL),
		0);
	ok = WAIT_FOR(({
		said = proc_errors(&lab->broker);
		bool there = strstr(said, "serving programs");
		free(said);
		there || proc_wait(&lab->broker, 0) != -ETIMEDOUT;
	}));
	said = proc_errors(&lab->broker);
	cr_assert(ok && lab->broker.pid && strstr(said, "serving programs"),
		  "the broker: %s", said);
	free(said);
}

void lab_broker_end(struct lab *lab)
{
	char *said;
	int r;

	cr_assert_eq(kill(lab->broker.pid, SIGTERM), 0);
	r = proc_wait(&lab->broker, EFFECT_MS);
	said = proc_errors(&lab->broker);
	cr_assert_eq(r, 0, "the broker ended with %d: %s", r, said);
	free(said);
	proc_end(&lab->broker);
}

const char *const tcpclient_argv[] = { "@tests/apps/tcpclient", "10.0.1.1", LAB_PORT,
				       NULL };

void lab_start(struct lab *lab, struct proc *p, uid_t uid, const char *pool,
	       const char *const argv[])
{
	char path[PATH_MAX], id[16];
	const char *all[ARGS_MAX] = { "setpriv", "--reuid", id,
				      "--regid", id,	    "--clear-groups" };
	const char *const *env = NULL;
	struct shim_env shim;
	int n = 6, i;

	snprintf(id, sizeof(id), "%u", uid);
	for (i = 0; argv[i]; i++) {
		cr_assert_lt(n, ARGS_MAX - 1);
		all[n++] = argv[i][0] == '@' ? built(argv[i] + 1, path, sizeof(path))
					     : argv[i];
	}
	all[n] = NULL;
	if (pool)
		env = shim_env(&shim, pool);
	cr_assert_eq(proc_start(p, &lab->world.client, all, env), 0);
}

static const char nginx_conf[] =
	"user root root;\ndaemon off;\nmaster_process off;\npid nginx.pid;\n"
	"error_log error.log;\nevents { worker_connections 1000; }\n"
	"http { access_log off;\n"
	"client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
	"uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
	"server { listen 8081; root www; } }\n";

/* Different at each offset. */
static void make_file(const char *path)
{
	uint32_t x = 12345;
	FILE *f = fopen(path, "we");
	int i;

	cr_assert(f);
	for (i = 0; i < FILE_SIZE; i++) {
		x = x * 1664525 + 1013904223;
		putc(x >> 24, f);
	}
	cr_assert_eq(fclose(f), 0);
	chmod(path, 0644);
}

static bool web_answers(const struct lab *lab)
{
	static const char *const argv[] = { "curl", "-s",	 "-r",	  "0-9",
					    "-o",   "/dev/null", LAB_URL, NULL };

	return proc_run(&lab->world.client, NULL, argv) == 0;
}

void lab_web(struct lab *lab, struct proc *nginx)
{
	static const char *const argv[] = { "mptcpize", "run",	     "/usr/sbin/nginx",
					    "-e",	"error.log", "-p",
					    "web",	"-c",	     "nginx.conf",
					    NULL };
	char path[64];

	cr_assert_eq(chdir(lab->dir), 0);
	cr_assert(mkdir("web", 0755) == 0 && mkdir("web/www", 0755) == 0);
	snprintf(path, sizeof(path), "%s/web/www/file", lab->dir);
	make_file(path);
	put_text("web/nginx.conf", nginx_conf);
	cr_assert_eq(proc_start(nginx, &lab->world.server, argv, NULL), 0);
	cr_assert(WAIT_FOR(web_answers(lab)), "no web server: %s", proc_errors(nginx));
}

static int dial(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = EFFECT_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	memcpy(addr.sun_path + 1, name, strlen(name));
	if (connect(fd, (struct sockaddr *)&addr,
		    offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	fcntl(fd, F_SETFL, 0);
	return fd;
}

struct ctl_manager broker_count(void)
{
	struct ctl_request request = { .magic = CTL_MAGIC,
				       .version = CTL_VERSION,
				       .op = CTL_OP_MANAGER };
	struct {
		struct ctl_answer head;
		struct ctl_manager manager;
	} answer;
	int fd = dial(BROKER_NAME);
	ssize_t n;

	cr_assert_geq(fd, 0, "the broker: %s", strerror(-fd));
	cr_assert_eq(send(fd, &request, sizeof(request), 0), sizeof(request));
	n = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	cr_assert_eq(n, sizeof(answer), "%zd bytes", n);
	return answer.manager;
}

long broker_memory(const struct lab *lab)
{
	char path[64], line[128];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", lab->broker.pid);
	f = fopen(path, "re");
	cr_assert(f, "%s", path);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	fclose(f);
	cr_assert_gt(kb, 0);
	return kb;
}

int as_user(uid_t uid, int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (!pid) {
		if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			_exit(125);
		_exit(fn(arg));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "status %#x", status);
	return WEXITSTATUS(status);
}

int native_connection(uint32_t *ret_token)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(atoi(LAB_PORT)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	struct mptcpaddr_info info = { 0 };
	socklen_t len = sizeof(info);

	inet_pton(AF_INET, "10.0.1.1", &addr.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
		return -1;
	*ret_token = info.token;
	return fd;
}

size_t record_fill(char *ret_record, uint32_t token, const char *program,
		   const char *path, const char *text)
{
	struct broker_head head = { .magic = BROKER_MAGIC,
				    .version = BROKER_VERSION,
				    .token = token,
				    .pool_len = strlen(text) };
	struct broker_program sent = { 0 };

	snprintf(sent.program, sizeof(sent.program), "%s", program);
	snprintf(sent.path, sizeof(sent.path), "%s", path);
	memcpy(ret_record, &head, sizeof(head));
	memcpy(ret_record + sizeof(head), &sent, sizeof(sent));
	memcpy(ret_record + sizeof(head) + sizeof(sent), text, head.pool_len);
	return sizeof(head) + sizeof(sent) + strlen(text);
}

int record_send(const void *data, size_t len)
{
	int fd = dial(BROKER_NAME), r = 0;

	if (fd < 0)
		return fd;
	if (send(fd, data, len, MSG_NOSIGNAL) < 0)
		r = -errno;
	close(fd);
	return r;
}
