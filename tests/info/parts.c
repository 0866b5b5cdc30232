// SPDX-License-Identifier: MIT
/*
 * parts.c - the parts of mptcpinfo that need no kernel
 */
#include "tools/mptcpinfo/collect/collect.h"
#include "tools/mptcpinfo/monitor/traffic.h"
#include "tools/mptcpinfo/print/print.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void is_written(int family, const char *ip, uint16_t port, const char *expected)
{
	struct path path = { .local = { .family = family, .port = port } };
	char out[ADDR_TEXT_MAX];

	cr_assert_eq(inet_pton(family, ip, path.local.ip), 1);
	cr_assert_str_eq(local_text(&path, out), expected);
}

Test(parts, addresses_are_written_with_their_port)
{
	is_written(AF_INET, "10.0.1.2", 4444, "10.0.1.2:4444");
	is_written(AF_INET, "255.255.255.255", 65535, "255.255.255.255:65535");
	is_written(AF_INET6, "2001:db8::1", 4444, "[2001:db8::1]:4444");
	is_written(AF_INET6, "::", 0, "[::]:0");
}

Test(parts, link_local_address_names_its_interface)
{
	struct path path = { .remote = { .family = AF_INET6, .port = 1 }, .ifindex = 1 };
	char out[ADDR_TEXT_MAX];

	inet_pton(AF_INET6, "fe80::1", path.remote.ip);
	cr_assert_str_eq(remote_text(&path, out), "[fe80::1%lo]:1");
	path.ifindex = 999999; /* gone since */
	cr_assert_str_eq(remote_text(&path, out), "[fe80::1%999999]:1");
}

static void token_is(const char *text, uint32_t hex, uint32_t decimal)
{
	uint32_t tokens[2];

	cr_assert_eq(token_parse(text, tokens), 0, "%s", text);
	cr_assert_eq(tokens[0], hex, "%s: %x", text, tokens[0]);
	cr_assert_eq(tokens[1], decimal, "%s: %x", text, tokens[1]);
}

Test(parts, tokens_are_hex_as_ss_prints_them_or_decimal)
{
	static const char *const bad[] = {
		"", "0x", "x1", "12g", "-1", "1ffffffff", "1 ", "0x1ffffffff", " 1", "+1"
	};
	uint32_t tokens[2] = { 7, 7 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(token_parse(bad[i], tokens), -EINVAL, "'%s'", bad[i]);
	cr_assert(tokens[0] == 7 && tokens[1] == 7, "written only on success");
	token_is("0x0000000a", 10, 10);
	token_is("9c2f0012", 0x9c2f0012, 0x9c2f0012);
	token_is("9E1A", 0x9e1a, 0x9e1a); /* ss leaves out leading zeros */
	token_is("010", 0x10, 10);
	token_is("4294967295", UINT32_MAX, UINT32_MAX);
	token_is("12345678", 0x12345678, 12345678);
}

static void is_cleaned(const char *text, size_t size, const char *expected)
{
	char out[16];

	memcpy(out, text, size);
	text_clean(out, size);
	cr_assert_str_eq(out, expected);
}

Test(parts, names_cannot_move_the_cursor)
{
	is_cleaned("a\x1b[2J\x7f\n", 8, "a?[2J??");
	is_cleaned("x\xc2\x9bm", 5, "x??m");		     /* CSI of C1 */
	is_cleaned("x\x9bm\xc3\xa9\x9b", 7, "x?m\xc3\xa9?"); /* without its lead byte */
	is_cleaned("\xe2\x82\xac\xf0\x9f\x99\x82", 8, "\xe2\x82\xac\xf0\x9f\x99\x82");
	is_cleaned("na\xc3\xafve", 7, "na\xc3\xafve");
	is_cleaned("abcdef", 4, "abc");
	is_cleaned("abc\0def", 8, "abc");
	is_cleaned("abcdef", 3, "ab"); /* no NUL within */
}

Test(parts, index_finds_what_was_added_and_nothing_else)
{
	enum {
		N = 5000
	};
	uint32_t *keys = calloc(N, sizeof(*keys)), absent = 1;
	struct index index = { .key_size = sizeof(*keys) };

	for (size_t i = 0; i < N; i++) {
		keys[i] = i * 2;
		index_add(&index, &keys[i], i);
	}
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(index_find(&index, &keys[i]), (ssize_t)i);
	cr_assert_eq(index_find(&index, &absent), -1);
	index_add(&index, &keys[3], 99);
	cr_assert_eq(index_find(&index, &keys[3]), 3, "the first one wins");
	index_remove(&index, &keys[3]);
	cr_assert_eq(index_find(&index, &keys[3]), -1);
	index_free(&index);
	free(keys);
}

Test(parts, empty_index_is_fine)
{
	struct index index = { .key_size = sizeof(uint32_t) };
	uint32_t key = 0;

	cr_assert_eq(index_find(&index, &key), -1);
	index_remove(&index, &key);
	index_free(&index);
}

Test(parts, padding_of_older_kernels_is_no_field)
{
	struct connection conn = { 0 };

	conn.info_len = info_length(48); /* 5.19 to 6.4 */
	cr_assert(INFO_HAS(&conn, csum_enabled));
	cr_assert_not(INFO_HAS(&conn, retransmits));
	conn.info_len = info_length(80); /* 6.5 */
	cr_assert(INFO_HAS(&conn, bytes_acked));
	cr_assert_not(INFO_HAS(&conn, subflows_total));
	conn.info_len = info_length(88); /* 6.8 */
	cr_assert(INFO_HAS(&conn, subflows_total));
	cr_assert_not(INFO_HAS(&conn, last_data_sent));
	conn.info_len = info_length(96); /* 6.10 */
	cr_assert(INFO_HAS(&conn, last_ack_recv));
	cr_assert_eq(info_length(4096), 96);
	cr_assert_eq(info_length(3), 3);
}

Test(parts, array_grows_and_hands_out_zeroes)
{
	struct {
		size_t *array, n_array;
	} owner = { 0 };
	size_t *slot;

	for (size_t i = 0; i < 1000; i++) {
		slot = array_add(&owner, array);
		cr_assert_eq(*slot, 0);
		*slot = i;
	}
	cr_assert_eq(owner.n_array, 1000);
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(owner.array[i], i);
	free(owner.array);
}

static bool matches(const char *text, int family, const char *ip, uint16_t port)
{
	struct mpaddr addr = { .family = family, .port = port };
	struct remote remote;

	cr_assert_eq(remote_parse(text, &remote), 0, "%s", text);
	cr_assert_eq(inet_pton(family, ip, addr.ip), 1);
	return remote_matches(&remote, &addr);
}

Test(parts, remotes_are_addresses_prefixes_and_ports)
{
	cr_assert(matches("10.0.1.1", AF_INET, "10.0.1.1", 80));
	cr_assert_not(matches("10.0.1.1", AF_INET, "10.0.1.2", 80));
	cr_assert_not(matches("10.0.1.1:81", AF_INET, "10.0.1.1", 80));
	cr_assert(matches("10.0.1.1:80", AF_INET, "10.0.1.1", 80));
	cr_assert(matches("10.0.0.0/15:80", AF_INET, "10.1.255.255", 80));
	cr_assert_not(matches("10.0.0.0/15", AF_INET, "10.2.0.0", 80));
	cr_assert(matches("0.0.0.0/0", AF_INET, "192.0.2.1", 80));
	cr_assert_not(matches("0.0.0.0/0", AF_INET6, "::1", 80));
	cr_assert(matches("2001:db8::1", AF_INET6, "2001:db8::1", 80));
	cr_assert(matches("2001:db8::/32", AF_INET6, "2001:db8:ffff::", 80));
	cr_assert(matches("[2001:db8::1]:80", AF_INET6, "2001:db8::1", 80));
	cr_assert(matches("[2001:db8::]/33:80", AF_INET6, "2001:db8:7fff::", 80));
	cr_assert_not(matches("[2001:db8::]/33:80", AF_INET6, "2001:db8:8000::", 80));
	cr_assert(matches(":80", AF_INET6, "::1", 80));
	cr_assert_not(matches(":80", AF_INET, "10.0.0.1", 8080));
}

Test(parts, invalid_remotes_are_refused)
{
	static const char *const bad[] = {
		"",
		":",
		":0",
		":65536",
		":80x",
		"/8",
		"10.0.0.1/33",
		"10.0.0.1/",
		"10.0.0.1:",
		"10.0.0.1/8",
		"10.0.0.",
		"10.0.0.1/24/8",
		"host",
		"[10.0.0.1]",
		"[::1",
		"[::1]x",
		"[::1]2",
		"[::1]2/24",
		"::1]:80",
		"::/129",
		"10.0.0.1:+8",
		"10.0.0.1 ",
		"::1%lo",
		"[]",
		"[]:80",
		"1:2:3",
		"0.0.0.0/-1",
		"10.0.0.1/00000000000000000000032",
	};
	struct remote remote = { .port = 7 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(remote_parse(bad[i], &remote), -EINVAL, "'%s'", bad[i]);
	cr_assert_eq(remote.port, 7, "written only on success");
}

static void is_scaled(uint64_t value, const char *expected)
{
	char out[SCALED_MAX];

	cr_assert_str_eq(scaled_text(value, out), expected);
}

Test(parts, numbers_for_people_have_three_digits)
{
	is_scaled(0, "0");
	is_scaled(999, "999");
	is_scaled(1000, "1.00k");
	is_scaled(1130, "1.13k"); /* 1.13 * 100 is less than 113 */
	is_scaled(1999, "1.99k");
	is_scaled(99999, "99.9k");
	is_scaled(300005, "300k");
	is_scaled(999999, "999k");
	is_scaled(1000000, "1.00M");
	is_scaled(45600000000, "45.6G");
	is_scaled(UINT64_MAX, "18.4E");
}

Test(parts, times_for_people_have_three_digits)
{
	char out[RTT_MAX];

	cr_assert_str_eq(rtt_text(0, out), "0us");
	cr_assert_str_eq(rtt_text(999, out), "999us");
	cr_assert_str_eq(rtt_text(1250, out), "1.25ms");
	cr_assert_str_eq(rtt_text(999999, out), "999ms");
	cr_assert_str_eq(rtt_text(1500000, out), "1.50s");
	cr_assert_str_eq(rtt_text(UINT32_MAX, out), ">999s");
}

#define SECOND 1000000ll

static double slots_sum(const struct traffic *t, size_t path, enum traffic_way way)
{
	double sum = 0;

	for (size_t i = 0; i < TRAFFIC_SLOTS; i++)
		sum += t->paths[path].slots[way][i];
	return sum;
}

/* Hours: 1000 bytes each quarter of a second in the first hour, none in the second. */
Test(parts, slots_of_a_path_add_up_to_its_bytes_however_long_it_runs)
{
	struct subflow before = { .path.local.family = AF_INET }, after = before;
	struct traffic t = { 0 };
	int64_t now;

	traffic_begin(&t);
	for (now = t.began_us; now <= t.began_us + 7200 * SECOND; now += SECOND / 4) {
		after.bytes_received += now < t.began_us + 3600 * SECOND ? 1000 : 0;
		traffic_add(&t, &before, &after, now);
		traffic_seen(&t, now);
		before = after;
	}
	cr_assert_eq(traffic_sum(&t, TRAFFIC_RECEIVED), 14400000);
	cr_assert_eq(traffic_sum(&t, TRAFFIC_SENT), 0);
	cr_assert_float_eq(slots_sum(&t, 0, TRAFFIC_RECEIVED), 14400000, 0.01);
	cr_assert_geq(t.slot_us * TRAFFIC_SLOTS, 7200 * SECOND);
	cr_assert_leq(t.slot_us * TRAFFIC_SLOTS, 4 * 7200 * SECOND);
	/* Nothing after the first hour */
	for (size_t i = 3600 * SECOND / t.slot_us + 1; i < TRAFFIC_SLOTS; i++)
		cr_assert_float_eq(t.paths[0].slots[TRAFFIC_RECEIVED][i], 0, 0.01);
	cr_assert_float_eq(t.paths[0].slots[TRAFFIC_RECEIVED][1],
			   4000.0 * t.slot_us / SECOND, 1);
	free(t.paths);
}

Test(parts, many_pairs_become_one_path_for_each_local_address)
{
	static const struct subflow none = { 0 };
	struct subflow sf = { .bytes_sent = 10 };
	struct traffic t = { 0 };

	traffic_begin(&t);
	for (int i = 0; i < 3 * TRAFFIC_PAIRS; i++) {
		const uint8_t local[] = { 10, 0, i % 2, 2 }, remote[] = { 10, 9, i, 1 };

		mpaddr_set(&sf.path.local, AF_INET, local);
		mpaddr_set(&sf.path.remote, AF_INET, remote);
		traffic_add(&t, &none, &sf, t.began_us + SECOND);
		if (i < TRAFFIC_PAIRS)
			cr_assert_eq(t.n_paths, (size_t)i + 1);
	}
	cr_assert_eq(t.n_paths, 2);
	cr_assert_eq(t.paths[1].bytes[TRAFFIC_SENT], 15 * TRAFFIC_PAIRS);
	cr_assert_float_eq(slots_sum(&t, 1, TRAFFIC_SENT), 15 * TRAFFIC_PAIRS, 0.01);
	free(t.paths);
}
