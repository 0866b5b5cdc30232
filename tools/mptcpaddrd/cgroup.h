/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - the IDs of control groups
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* cgroup_matches_path() - whether @id is the cgroup at @path
 * ("/system.slice/caddy.service") now.
 */
bool cgroup_matches_path(uint64_t id, const char *path);

/* cgroup_matches_unit() - likewise of the systemd unit @unit, in whatever slice it runs.
 */
bool cgroup_matches_unit(uint64_t id, const char *unit);
