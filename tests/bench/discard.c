/* discard: a queue program that reads message and envelope and keeps nothing.
   SPDX-License-Identifier: ISC */
#include <unistd.h>

static char block[65536];

static int drain(int fd)
{
	ssize_t n;

	do n = read(fd, block, sizeof block);
	while (n > 0);
	return n < 0 ? 54 : 0;
}

int main(void)
{
	int result = drain(0);

	return result ? result : drain(1);
}
