// SPDX-License-Identifier: MIT
/*
 * idle.c - a program that never opens a socket, as most that inherit LD_PRELOAD
 */
int main(void)
{
	return 0;
}
