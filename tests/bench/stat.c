/* stat [PROGRAM ARGUMENT...]: one stat of the file that $NETWORK names, and the
   exec of PROGRAM: what a greylist that keeps a file a network costs at least.
   SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct stat status;
	const char *file = getenv("NETWORK");

	if (!file || stat(file, &status) < 0) return 111;
	if (argc < 2) return 0;
	execv(argv[1], argv + 1);
	return 111;
}
