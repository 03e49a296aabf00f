// SPDX-License-Identifier: GPL-2.0-only
/*
 * While a VM exists, lets a kernel for tests try functions of the glue: tries FILE, for a
 * file of /sys/kernel/debug/stage2 (test.c).
 */
#include <stdio.h>
#include <string.h>

#include "vm.h"

int main(int argc, char **argv)
{
	char path[64], line[64] = "";
	struct vm vm;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/stage2/%s",
		 argc > 1 ? argv[1] : "");
	vm_open(&vm, "", 0, 0);
	f = fopen(path, "r");
	if (!f || !fgets(line, sizeof(line), f))
		die(path);
	fclose(f);
	printf("%s", line);
	vm_close(&vm);
	return strcmp(line, "good\n") != 0;
}
