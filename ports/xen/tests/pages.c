// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls that xl has no command for:
 *
 *   pages free                            free pages of the hypervisor
 *   pages of DOM                          pages that a domain has
 *   pages zero DOM GFN                    clear a page of a domain
 *   pages words DOM ADDRESS COUNT         words of its memory
 *   pages key K                           a debug key
 *   pages out DOM GFN COUNT STRIDE ORDER  take memory from a domain, 512 extents a call
 *   pages in DOM GFN COUNT STRIDE ORDER   give it memory there
 *   pages pool DOM [PAGES]                the size of its pool of table pages
 */
#include "hypercall.h"
#include <xen/domctl.h>

static int free_pages(void)
{
	xen_sysctl_t *call = sysctl_call(XEN_SYSCTL_physinfo);
	long ret = hypercall(__HYPERVISOR_sysctl, (uintptr_t)call, 0);

	if (!ret)
		printf("%llu\n", (unsigned long long)call->u.physinfo.free_pages);
	return ret;
}

static int pages_of(unsigned domain)
{
	struct xen_domctl *call = buffer(sizeof(*call));
	long ret;

	call->cmd = XEN_DOMCTL_getdomaininfo;
	call->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	call->domain = domain;
	ret = hypercall(__HYPERVISOR_domctl, (uintptr_t)call, 0);
	if (!ret)
		printf("%llu\n", (unsigned long long)call->u.getdomaininfo.tot_pages);
	return ret;
}

static int zero(unsigned domain, uint64_t gfn)
{
	memset(map_page(domain, gfn), 0, 4096);
	return 0;
}

static int words(unsigned domain, uint64_t address, unsigned count)
{
	volatile uint64_t *page = map_page(domain, address >> 12);

	while (count--) {
		printf("%llu\n", (unsigned long long)page[address % 4096 / 8]);
		address += 8;
	}
	return 0;
}

static int pool(unsigned domain, const char *pages)
{
	struct xen_domctl *call = buffer(sizeof(*call));
	long ret;

	call->cmd = pages ? XEN_DOMCTL_set_paging_mempool_size :
			    XEN_DOMCTL_get_paging_mempool_size;
	call->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	call->domain = domain;
	if (pages)
		call->u.paging_mempool.size = strtoull(pages, NULL, 0) << 12;
	ret = hypercall(__HYPERVISOR_domctl, (uintptr_t)call, 0);
	if (!ret && !pages)
		printf("%llu\n", (unsigned long long)call->u.paging_mempool.size >> 12);
	return ret;
}

static unsigned long number(const char *text)
{
	return strtoul(text, NULL, 0);
}

int main(int argc, char **argv)
{
	int ret = -EINVAL;

	open_privcmd();
	if (argc == 2 && !strcmp(argv[1], "free"))
		ret = free_pages();
	else if (argc == 3 && !strcmp(argv[1], "of"))
		ret = pages_of(number(argv[2]));
	else if (argc == 4 && !strcmp(argv[1], "zero"))
		ret = zero(number(argv[2]), number(argv[3]));
	else if (argc == 5 && !strcmp(argv[1], "words"))
		ret = words(number(argv[2]), number(argv[3]), number(argv[4]));
	else if (argc == 3 && !strcmp(argv[1], "key"))
		ret = debug_key(argv[2]);
	else if (argc == 7 && (!strcmp(argv[1], "out") || !strcmp(argv[1], "in")))
		ret = reserve(argv[1][0] == 'o' ? XENMEM_decrease_reservation :
						  XENMEM_populate_physmap,
			      number(argv[2]), number(argv[3]), number(argv[4]),
			      number(argv[5]), number(argv[6]));
	else if ((argc == 3 || argc == 4) && !strcmp(argv[1], "pool"))
		ret = pool(number(argv[2]), argv[3]);
	if (ret)
		fprintf(stderr, "pages: %s\n", strerror(-ret));
	return ret ? 1 : 0;
}
