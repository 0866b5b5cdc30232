// SPDX-License-Identifier: MIT
/*
 * servers.c - servers that drop root's rights, and listening sockets that change hands
 *
 * The server is on the host with the broker, if there is one, and announces two more
 * addresses: each connection of a native client must get a join to each.
 */
#include "broker.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POOL_SIGNAL "[pool]\nendpoint = 10.0.2.2 signal\nendpoint = 10.0.3.2 signal\n"

static const char two_each[] = "10.0.2.1-10.0.2.2 10.0.3.1-10.0.3.2";

enum backend {
	DIRECT,
	BROKER
};

struct served {
	struct lab lab;
	struct proc server, client;
	int connections;
};

/* @script runs as root in the lab's directory, which all users may write to. */
static void served_open(struct served *s, enum backend backend, const char *script)
{
	static const char *const none[] = { NULL };
	char path[PATH_MAX], text[4096];
	const char *const argv[] = { "sh", "-c", text, NULL };
	const char *const client[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				       "-m",
				       "-q",
				       "-N",
				       "0",
				       "10.0.1.2",
				       "8080",
				       NULL };
	struct lab *lab = &s->lab;

	s->connections = 0;
	lab_open(lab, none);
	cr_assert_eq(limits_set(&lab->world.server, 8, 8), 0);
	cr_assert_eq(chdir(lab->dir), 0);
	cr_assert_eq(chmod(lab->dir, 0777), 0);
	put_text(lab->pool, POOL_SIGNAL);
	put_text("log", "");
	chmod("log", 0666);
	if (backend == BROKER)
		lab_broker(lab, "");
	snprintf(text, sizeof(text), "export MPTCPADDR_LOG=warning:%s/log; exec 2>&1\n%s",
		 lab->dir, script);
	lab_start(lab, &s->server, 0, lab->pool, argv);
	cr_assert_eq(proc_start(&s->client, &lab->world.server, client, NULL), 0);
	cr_assert(WAIT_FOR(host_listens(&lab->world.client, 8080)), "%s",
		  proc_output(&s->server));
}

static void served_close(struct served *s)
{
	proc_end(&s->client);
	proc_end(&s->server);
	lab_close(&s->lab);
}

static void connect_more(struct served *s, int count)
{
	char text[32];

	s->connections += count;
	snprintf(text, sizeof(text), "burst %d", count);
	cr_assert_eq(proc_tell(&s->client, text), 0);
	snprintf(text, sizeof(text), "connected %d\n", s->connections);
	cr_assert(WAIT_FOR(proc_said(&s->client, text)), "%s", proc_errors(&s->client));
}

static void all_are_joined(struct served *s)
{
	const struct host *client = &s->lab.world.server;

	cr_expect(WAIT_FOR(connections_with(client, two_each) == s->connections),
		  "%d of %d connections", connections_with(client, two_each),
		  s->connections);
}

static char *text_of(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	cr_assert(f, "%s", path);
	if (getdelim(&text, &size, '\0', f) < 0)
		*text = '\0'; /* empty */
	fclose(f);
	return text;
}

static const char nginx_conf[] =
	"mkdir -p www tmp; chmod 777 tmp; head -c 1000000 /dev/zero >www/file\n"
	"cat >nginx.conf <<END\n"
	"user www-data; pid $PWD/pid; error_log $PWD/error.log; worker_processes 2;\n"
	"env LD_PRELOAD; env MPTCPADDR_CONFIG; env MPTCPADDR_LOG; events { }\n"
	"http { access_log off;\n"
	"client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
	"uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
	"server { listen 8080; root www; } }\nEND\n";

static const char lighttpd[] = "cat >lighttpd.conf <<END\n"
			       "server.document-root = \"/var/empty\"\n"
			       "server.port = 8080\nserver.username = \"www-data\"\n"
			       "server.groupname = \"www-data\"\nEND\n"
			       "exec lighttpd -D -f lighttpd.conf";
static const char memcached[] = "exec memcached -u nobody -p 8080";
static const char mosquitto[] = "printf 'listener 8080\\nuser mosquitto\\n' >m.conf\n"
				"exec mosquitto -c m.conf";
#define SQUID_CONF                                                        \
	"cat >squid.conf <<END\n"                                         \
	"visible_hostname test\n" /* otherwise it asks DNS */             \
	"http_port 8080\ncache_effective_user proxy\npid_filename none\n" \
	"access_log none\ncache_log $PWD/squid.log\nnetdb_filename none\nEND\n"
static const char squid[] = SQUID_CONF "exec squid -N -f squid.conf";

/* Root's rights are gone once it has dropped them; the broker has them. */
static void announces_with_the_broker(const char *script)
{
	struct served s;

	NEED_USERS();
	served_open(&s, BROKER, script);
	connect_more(&s, 4);
	all_are_joined(&s);
	served_close(&s);
}

static bool is_root(pid_t pid)
{
	char path[64];
	int effective = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	cr_assert(f);
	while (fscanf(f, "Uid: %*d %d", &effective) != 1 && fscanf(f, "%*[^\n]\n") == 0)
		;
	fclose(f);
	return effective == 0;
}

/* It listens before: the first connections might have paths. */
static void drops_rights(const struct served *s)
{
	cr_assert(WAIT_FOR(!is_root(s->server.pid)));
}

static bool info_prints(const struct host *h, const char *words)
{
	char path[PATH_MAX], *output;
	const char *const argv[] = { built("mptcpinfo", path, sizeof(path)), NULL };
	struct proc info;
	bool printed;

	cr_assert_eq(proc_start(&info, h, argv, NULL), 0);
	cr_assert_eq(proc_wait(&info, EFFECT_MS), 0);
	output = proc_output(&info);
	printed = strstr(output, words);
	free(output);
	proc_end(&info);
	return printed;
}

/* One line names the broker, and mptcpinfo the reason. */
static void says_once_what_is_missing(const char *script)
{
	struct served s;
	char *log;

	NEED_USERS();
	served_open(&s, DIRECT, script);
	drops_rights(&s);
	connect_more(&s, 4);
	cr_expect(WAIT_FOR(({
		log = text_of("log");
		bool said =
			strstr(log, "CAP_NET_ADMIN") && strstr(log, "start mptcpaddrd\n");
		free(log);
		said;
	})));
	connect_more(&s, 4);
	/* Until the server has accepted them, they are nobody's. */
	cr_expect(WAIT_FOR(info_prints(
		&s.lab.world.client,
		"no CAP_NET_ADMIN in this network namespace, and no broker")));
	cr_expect_eq(joined_count(&s.lab.world.server), 0);
	log = text_of("log");
	cr_expect(strchr(log, '\n') && !strchr(log, '\n')[1], "%s", log);
	free(log);
	served_close(&s);
}

#define DROPS_ROOT(name)                         \
	Test(servers, name##_with_the_broker)    \
	{                                        \
		announces_with_the_broker(name); \
	}                                        \
	Test(servers, name##_without_the_broker) \
	{                                        \
		says_once_what_is_missing(name); \
	}

DROPS_ROOT(lighttpd)
DROPS_ROOT(memcached)
DROPS_ROOT(mosquitto)
DROPS_ROOT(squid)

/* Its worker is in secure mode (AT_SECURE), where LD_PRELOAD has no effect. */
static void squid_daemon(enum backend backend)
{
	char script[2048], path[PATH_MAX];
	struct served s;

	NEED_USERS();
	snprintf(script, sizeof(script),
		 SQUID_CONF "exec %s run squid --foreground -f squid.conf",
		 built("mptcpaddr", path, sizeof(path)));
	served_open(&s, backend, script);
	connect_more(&s, 4);
	all_are_joined(&s);
	served_close(&s);
}

Test(servers, squid_daemon_with_the_broker)
{
	squid_daemon(BROKER);
}

Test(servers, squid_daemon_without_the_broker)
{
	squid_daemon(DIRECT);
}

/* The first process ends, workers drop their rights: the master remains. */
static void nginx_daemon(enum backend backend)
{
	char script[2048], *log;
	struct served s;

	NEED_USERS();
	snprintf(script, sizeof(script), "%snginx -p . -c nginx.conf; sleep 1000",
		 nginx_conf);
	served_open(&s, backend, script);
	connect_more(&s, 4);
	all_are_joined(&s);
	log = text_of("log");
	cr_expect_str_eq(log, "");
	free(log);
	served_close(&s);
}

Test(servers, nginx_daemon_with_the_broker)
{
	nginx_daemon(BROKER);
}

Test(servers, nginx_daemon_without_the_broker)
{
	nginx_daemon(DIRECT);
}

static void shell_on_server(struct served *s, const char *command)
{
	const char *const argv[] = { "sh", "-c", command, NULL };

	cr_assert_eq(proc_run(&s->lab.world.client, NULL, argv), 0, "%s", command);
}

/* Connections before, during and after the change; old ones close in between. */
static void changes_hands(enum backend backend, const char *script, const char *begin,
			  const char *end)
{
	struct served s;
	int i;

	NEED_USERS();
	served_open(&s, backend, script);
	cr_assert(WAIT_FOR(access("pid", R_OK) == 0));
	for (i = 0; i < 3; i++) {
		connect_more(&s, 4);
		shell_on_server(&s, begin);
		connect_more(&s, 4);
		if (end)
			shell_on_server(&s, end);
		connect_more(&s, 4);
		nap_ms(100); /* and later */
		connect_more(&s, 4);
		all_are_joined(&s);
		cr_assert_eq(proc_tell(&s.client, "close"), 0);
		s.connections = 0;
		cr_assert(WAIT_FOR(joined_count(&s.lab.world.server) == 0));
	}
	connect_more(&s, 4);
	all_are_joined(&s);
	served_close(&s);
}

static void nginx_upgrade(enum backend backend)
{
	char script[2048];

	snprintf(script, sizeof(script),
		 "%s/usr/sbin/nginx -p . -c nginx.conf; sleep 1000", nginx_conf);
	changes_hands(
		backend, script,
		"while [ -e pid.oldbin ]; do sleep 0.05; done\n"
		"until [ -s pid ]; do sleep 0.05; done; cp pid old\n"
		/* nginx ignores the signal until its own parent has ended. */
		"until [ -e pid.oldbin ]; do kill -USR2 $(cat old); sleep 0.2; done\n"
		"until [ -s pid ]; do sleep 0.05; done",
		"kill -QUIT $(cat old)");
}

Test(servers, nginx_upgrade_with_the_broker)
{
	nginx_upgrade(BROKER);
}

Test(servers, nginx_upgrade_without_the_broker)
{
	nginx_upgrade(DIRECT);
}

/* Without the broker it must stay root: each master executes itself twice. */
static void haproxy_reload(enum backend backend, const char *options)
{
	char script[1024];

	snprintf(script, sizeof(script),
		 "cat >haproxy.cfg <<END\nglobal\n%s\nhard-stop-after 1s\n"
		 "stats socket $PWD/socket %s\ndefaults\nmode tcp\n"
		 "timeout client 600s\ntimeout connect 5s\ntimeout server 600s\n"
		 "frontend f\nbind :8080\ntcp-request inspect-delay 600s\n"
		 "tcp-request content accept if { req.len gt 1000 }\n"
		 "default_backend b\nbackend b\nserver s 127.0.0.1:9\nEND\n"
		 "haproxy -W -D -f haproxy.cfg -p pid; sleep 1000",
		 backend == BROKER ? "user haproxy\ngroup haproxy" : "", options);
	changes_hands(backend, script,
		      "until [ -s pid ]; do sleep 0.05; done; kill -USR2 $(cat pid)",
		      NULL);
}

Test(servers, haproxy_reload_with_the_broker)
{
	haproxy_reload(BROKER, "");
}

Test(servers, haproxy_reload_with_passed_sockets_with_the_broker)
{
	haproxy_reload(BROKER, "expose-fd listeners");
}

Test(servers, haproxy_reload_without_the_broker)
{
	haproxy_reload(DIRECT, "");
}

Test(servers, haproxy_reload_with_passed_sockets_without_the_broker)
{
	haproxy_reload(DIRECT, "expose-fd listeners");
}

static void is_activated(enum backend backend, int uid, const char *how)
{
	char path[PATH_MAX], library[PATH_MAX], script[3 * PATH_MAX];
	struct served s;

	NEED_USERS();
	/* Only the program that is started has the library. */
	snprintf(script, sizeof(script), "unset LD_PRELOAD; exec %s 8080 %d %s %s",
		 built("tests/broker-activate", path, sizeof(path)), uid,
		 built("libmptcpaddr.so", library, sizeof(library)), how);
	served_open(&s, backend, script);
	connect_more(&s, 4);
	all_are_joined(&s);
	served_close(&s);
}

Test(servers, socket_activation_without_the_broker)
{
	is_activated(DIRECT, 0, "once");
}

/* The socket is root's: nobody knows who accepts its connections before he does. */
Test(servers, socket_activation_of_a_user_with_the_broker)
{
	is_activated(BROKER, ALICE, "once");
}

Test(servers, activation_for_each_connection_without_the_broker)
{
	is_activated(DIRECT, 0, "each");
}

Test(servers, activation_for_each_connection_with_the_broker)
{
	is_activated(BROKER, 0, "each");
}

/* Its connections from before, too. */
static void finds_a_later_broker(const char *script)
{
	struct served s;
	char *log;

	NEED_USERS();
	served_open(&s, DIRECT, script);
	drops_rights(&s);
	connect_more(&s, 1);
	cr_assert(WAIT_FOR(({
		log = text_of("log");
		bool said = log[0];
		free(log);
		said;
	})));
	lab_broker(&s.lab, "");
	/* It looks for a broker once a second. */
	cr_expect(WAIT_FOR(({
		connect_more(&s, 1);
		nap_ms(100);
		joined_count(&s.lab.world.server) > 0;
	})));
	all_are_joined(&s);
	served_close(&s);
}

Test(servers, lighttpd_finds_a_later_broker)
{
	finds_a_later_broker(lighttpd);
}

Test(servers, memcached_finds_a_later_broker)
{
	finds_a_later_broker(memcached);
}

/* The state file keeps listening sockets. */
Test(servers, listening_sockets_outlive_the_broker)
{
	struct served s;

	NEED_USERS();
	served_open(&s, BROKER, lighttpd);
	lab_broker_end(&s.lab);
	lab_broker(&s.lab, "");
	connect_more(&s, 4);
	all_are_joined(&s);
	served_close(&s);
}

struct sent {
	const char *record;
	size_t len;
};

static int send_as_user(void *arg)
{
	const struct sent *sent = arg;

	return -record_send(sent->record, sent->len);
}

/* Connections to a socket of root's are none of a user's business. */
Test(servers, listening_socket_of_root_is_not_a_users)
{
	char record[BROKER_RECORD_MAX], *text, *line;
	unsigned long inode = 0;
	struct served s;
	size_t len;

	NEED_USERS();
	served_open(&s, BROKER,
		    "unset LD_PRELOAD; exec mptcpize run socat -u "
		    "TCP-LISTEN:8080,fork STDOUT");
	text = text_of("/proc/thread-self/net/tcp");
	for (line = text; line && !inode; line = strchr(line + 1, '\n'))
		sscanf(line,
		       "%*s %*8[0-9A-F]:1F90 00000000:0000 0A %*s %*s %*s %*s %*s %lu",
		       &inode);
	free(text);
	cr_assert_neq(inode, 0);
	len = record_fill(record, inode, "thief", "/thief.conf", POOL_SIGNAL);
	((struct broker_head *)record)->flags = BROKER_FLAG_LISTENER;
	cr_assert_eq(as_user(ALICE, send_as_user, &(struct sent){ record, len }), 0);
	connect_more(&s, 4);
	cr_assert(WAIT_FOR(broker_count().events_foreign >= 4));
	cr_expect_eq(joined_count(&s.lab.world.server), 0);
	served_close(&s);
}
