# shellcheck shell=bash disable=SC2154,SC2164
# SPDX-License-Identifier: MIT
#
# broken.sh - of broken.md, which must not pass

broken_command_before() { :; }
broken_command_after() { :; }
broken_effect_before() { :; }
broken_effect_after() { false; }
broken_path_before() { :; }
broken_path_after() { :; }
broken_elsewhere_before() { :; }
broken_elsewhere_after() { :; }
