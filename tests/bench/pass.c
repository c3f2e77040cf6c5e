/* pass PROGRAM [ARGUMENT …]: execs it. A stage of a chain that does nothing.
   SPDX-License-Identifier: ISC */
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 1) execv(argv[1], argv + 1);
	return 111;
}
