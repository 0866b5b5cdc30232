// SPDX-License-Identifier: MIT
/*
 * probe_print.c - what mptcpaddr probe has found, as text or JSON
 */
#include "command.h"
#include "probe.h"
#include "shim/common/str.h"
#include "tools/common/endpoint_reason.h"

#include "shim/pool/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word, *text;
} results[] = {
	[HANDSHAKE_NONE] = { "no_answer", "no answer" },
	[HANDSHAKE_MPTCP] = { "mptcp", "MPTCP" },
	[HANDSHAKE_TCP] = { "tcp", "plain TCP" },
	[HANDSHAKE_DROPPED] = { "dropped", "no answer with MPTCP, but with TCP" },
	[HANDSHAKE_NO_ANSWER] = { "no_answer", "no answer" },
	[HANDSHAKE_FAILED] = { "failed", "" },
};

static const char *address_text(const struct mpaddr *addr, char text[MPADDR_TEXT_MAX])
{
	struct mpaddr ip = *addr;

	ip.port = 0;
	return mpaddr_text(&ip, text);
}

static bool any_result(const struct probe *probe, enum handshake_result result)
{
	unsigned int i;

	for (i = 0; i < probe->n; i++)
		if (probe->handshakes[i].result == result)
			return true;
	return false;
}

/* What plain TCP over an uplink means */
static const char *explain_result(const struct probe *probe, enum handshake_result result)
{
	const bool mptcp = any_result(probe, HANDSHAKE_MPTCP);

	if (result == HANDSHAKE_DROPPED)
		return ": something on this uplink drops the option";
	if (result == HANDSHAKE_TCP && mptcp)
		return ": something on this uplink strips the option";
	return "";
}

/* Why no path leaves from endpoint @i; "": unknown. */
static const char *endpoint_why(const struct probe *probe, const struct plan *plan,
				unsigned int i, char out[static NOTE_REASON_MAX])
{
	const struct endpoint *ep = &probe->pool.endpoints[i];
	const struct handshake *handshake = probe_handshake(probe, ep);

	if (!endpoint_is_usable(ep) || ep->if_idx < 0)
		return "its address or interface is missing or down";
	if (!(ep->flags & ~(MPTCP_PM_ADDR_FLAG_SIGNAL | MPTCP_PM_ADDR_FLAG_BACKUP)))
		return "signal: announced to the server, no path from here";
	if (ep->addr.family != probe->peer.family)
		return "another address family";
	if (handshake && handshake->result != HANDSHAKE_MPTCP)
		snprintf(out, NOTE_REASON_MAX, "its handshake: %s",
			 handshake->result == HANDSHAKE_FAILED
				 ? strerror(handshake->error)
				 : results[handshake->result].text);
	if (handshake && handshake->result != HANDSHAKE_MPTCP)
		return out;
	if (ep->flags & MPTCP_PM_ADDR_FLAG_SUBFLOW)
		return endpoint_reason(&plan->report, false, -1, probe->pool.subflows,
				       out);
	if (!probe->knows_events)
		return "for announced addresses, which are unknown";
	if (!probe->n_announced)
		return "for announced addresses, and there are none: use \"subflow\", "
		       "too";
	return "all announced addresses have a path";
}

/* Whether endpoint @i is for such connections, and has no path. */
static bool plan_lacks_path(const struct probe *probe, const struct plan *plan,
			    unsigned int i)
{
	const struct endpoint *ep = &probe->pool.endpoints[i];

	if (ep->section != probe->section ||
	    (ep->from_dev && ep->addr.family != probe->peer.family))
		return false;
	return !(plan->endpoints_used >> i & 1) &&
	       !mpaddr_same_ip(&plan->paths[0].local, &ep->addr);
}

/* Why @spec, an interface in the pool file, has no address for this server; NULL: it has.
 */
static const char *device_why(const struct probe *probe, const struct endpoint *spec)
{
	const char *why = "no address on the interface";
	const struct endpoint *ep;

	if (spec->addr.family != AF_UNSPEC || spec->section != probe->section)
		return NULL;
	for_each_endpoint (&probe->pool, ep) {
		if (strcmp(ep->dev, spec->dev) != 0 || ep->section != spec->section)
			continue;
		if (ep->addr.family == probe->peer.family)
			return NULL;
		why = probe->peer.family == AF_INET ? "no IPv4 address on the interface"
						    : "no IPv6 address on the interface";
	}
	return if_nametoindex(spec->dev) ? why : "no such interface";
}

static void print_pool(const struct probe *probe)
{
	if (!*probe->pool_path)
		return;
	printf("pool file: %s", probe->pool_path);
	if (probe->program && strcmp(probe->program, "default") != 0)
		printf(" (for \"%s\")\n", probe->program);
	else
		puts(probe->program ? " (for programs without a file of their own)" : "");
}

static void print_handshakes(const struct probe *probe)
{
	char addr[MPADDR_TEXT_MAX];
	const struct handshake *h;

	for (h = probe->handshakes; h < probe->handshakes + probe->n; h++) {
		printf("  %-15s %-8s ",
		       h->bound.family ? address_text(&h->bound, addr) : "by routing",
		       h->dev);
		if (h->result == HANDSHAKE_FAILED)
			printf("%s", strerror(h->error));
		else if (h->result == HANDSHAKE_MPTCP || h->result == HANDSHAKE_TCP)
			printf("%s, %.1f ms", results[h->result].text, h->ms);
		else
			printf("%s", results[h->result].text);
		printf("%s\n", explain_result(probe, h->result));
	}
}

static void print_announced(const struct probe *probe)
{
	char addr[MPADDR_TEXT_MAX];
	unsigned int i;

	if (!probe->knows_events) {
		puts("C flag, announced addresses: unknown without CAP_NET_ADMIN (sudo)");
		return;
	}
	printf("C flag: %s\nannounced within %.1f s:", probe->c_flag ? "yes" : "no",
	       probe->wait_ms / 1000.0);
	for (i = 0; i < probe->n_announced; i++)
		printf("%s %s (id %u)", i ? "," : "",
		       mpaddr_text(&probe->announced[i].addr, addr),
		       probe->announced[i].id);
	puts(i ? "" : " nothing");
}

static void print_plan(const struct probe *probe, const struct plan *plan)
{
	char a[MPADDR_TEXT_MAX], b[MPADDR_TEXT_MAX], why[NOTE_REASON_MAX];
	unsigned int i;

	printf("%u path%s with %s:\n", plan->n, PLURAL(plan->n), probe->pool_path);
	for (i = 0; i < plan->n; i++)
		printf("  %s -> %s%s%s\n",
		       mpaddr_is_any(&plan->paths[i].local)
			       ? "by routing"
			       : address_text(&plan->paths[i].local, a),
		       mpaddr_text(&plan->paths[i].remote, b), i ? "" : "  first",
		       plan->paths[i].backup ? "  backup" : "");
	for (i = 0; i < probe->pool.n_endpoints; i++) {
		const struct endpoint *ep = &probe->pool.endpoints[i];

		if (plan_lacks_path(probe, plan, i))
			printf("  %s: no path: %s\n", address_text(&ep->addr, a),
			       endpoint_why(probe, plan, i, why));
	}
	for (i = 0; i < probe->spec->n_endpoints; i++)
		if (device_why(probe, &probe->spec->endpoints[i]))
			printf("  %s: no path: %s\n", probe->spec->endpoints[i].dev,
			       device_why(probe, &probe->spec->endpoints[i]));
	for (i = 0; i < plan->n_announced; i++)
		if (plan->announced[i].state != PM_ANNOUNCED_JOINED)
			printf("  to %s (id %u): no path: %s\n",
			       mpaddr_text(&plan->announced[i].addr, a),
			       plan->announced[i].remote_id,
			       plan->announced[i].reason == PM_REASON_ERROR
				       ? "no endpoint is left that reaches the server"
				       : note_reason_text(plan->announced[i].reason, 0,
							  why));
}

static void print_text(const struct probe *probe, const struct plan *plan)
{
	char addr[MPADDR_TEXT_MAX];

	printf("%s: %s\n", probe->host, mpaddr_text(&probe->peer, addr));
	print_pool(probe);
	print_handshakes(probe);
	if (!plan && any_result(probe, HANDSHAKE_TCP))
		puts("no MPTCP: the server lacks it, or each uplink strips the option");
	if (!plan)
		return;
	print_announced(probe);
	if (*probe->pool_path)
		print_plan(probe, plan);
	else
		puts("no pool file: one path; type: mptcpaddr init");
}

static void put_json_address(const char *name, const struct mpaddr *addr)
{
	char text[MPADDR_TEXT_MAX];

	print_json_text(name, addr->family ? mpaddr_text(addr, text) : "");
}

static void put_json_uplinks(const struct probe *probe)
{
	const struct handshake *h;

	fputs(",\"uplinks\":[", stdout);
	for (h = probe->handshakes; h < probe->handshakes + probe->n; h++) {
		fputs(h == probe->handshakes ? "{" : ",{", stdout);
		put_json_address("local", &h->bound);
		putchar(',');
		print_json_text("dev", h->dev);
		putchar(',');
		print_json_text("result", results[h->result].word);
		if (h->result == HANDSHAKE_FAILED) {
			putchar(',');
			print_json_text("error", strerror(h->error));
		} else if (h->result == HANDSHAKE_MPTCP || h->result == HANDSHAKE_TCP) {
			printf(",\"ms\":%.1f", h->ms);
		}
		putchar('}');
	}
	putchar(']');
}

static void put_json_plan(const struct probe *probe, const struct plan *plan)
{
	char why[NOTE_REASON_MAX];
	const char *before = "{";
	unsigned int i;

	fputs(",\"paths\":[", stdout);
	for (i = 0; i < plan->n; i++) {
		fputs(i ? ",{" : "{", stdout);
		put_json_address("local",
				 &(struct mpaddr){ .family = plan->paths[i].local.family,
						   .v6 = plan->paths[i].local.v6 });
		putchar(',');
		put_json_address("remote", &plan->paths[i].remote);
		printf(",\"backup\":%s}", plan->paths[i].backup ? "true" : "false");
	}
	fputs("],\"missing\":[", stdout);
	for (i = 0; i < probe->pool.n_endpoints; i++) {
		const struct endpoint *ep = &probe->pool.endpoints[i];

		if (!plan_lacks_path(probe, plan, i))
			continue;
		fputs(before, stdout);
		before = ",{";
		put_json_address("local", &ep->addr);
		putchar(',');
		print_json_text("why", endpoint_why(probe, plan, i, why));
		putchar('}');
	}
	for (i = 0; probe->spec && i < probe->spec->n_endpoints; i++) {
		if (!device_why(probe, &probe->spec->endpoints[i]))
			continue;
		fputs(before, stdout);
		before = ",{";
		print_json_text("dev", probe->spec->endpoints[i].dev);
		putchar(',');
		print_json_text("why", device_why(probe, &probe->spec->endpoints[i]));
		putchar('}');
	}
	putchar(']');
}

static void print_json(const struct probe *probe, const struct plan *plan)
{
	unsigned int i;

	putchar('{');
	print_json_text("host", probe->host);
	putchar(',');
	put_json_address("address", &probe->peer);
	putchar(',');
	print_json_text("pool", probe->pool_path);
	putchar(',');
	print_json_text("program", probe->program ?: "");
	printf(",\"mptcp\":%s", plan ? "true" : "false");
	put_json_uplinks(probe);
	if (plan && probe->knows_events) {
		printf(",\"c_flag\":%s,\"announced\":[",
		       probe->c_flag ? "true" : "false");
		for (i = 0; i < probe->n_announced; i++) {
			printf("%s{\"id\":%u,", i ? "," : "", probe->announced[i].id);
			put_json_address("address", &probe->announced[i].addr);
			putchar('}');
		}
		putchar(']');
	} else {
		fputs(",\"c_flag\":null,\"announced\":null", stdout);
	}
	if (plan)
		put_json_plan(probe, plan);
	puts("}");
}

void probe_print(const struct probe *probe, const struct plan *plan)
{
	if (probe->json)
		print_json(probe, plan);
	else
		print_text(probe, plan);
}
