/* noop: does nothing. Linked as the hot programs are, it is what an exec costs
   at least. SPDX-License-Identifier: ISC */
int main(void)
{
	return 0;
}
