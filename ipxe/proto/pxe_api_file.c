// SPDX-License-Identifier: MPL-2.0
// FILE functions, iPXE's addition to the PXE API: a file by its URL, of which tftp: with an address is served. It is the transfer of the
// TFTP functions, so there is one at a time.
#include "proto/pxe_api_parts.h"

#define HANDLE 1 // of the one file
#define URL_MAX 256 // with its NUL
#define PROVIDER 0x746e6753 // "Sgnt"
#define SERVED(function) (1u << ((function)-PXENV_FILE_OPEN))

static bool is_open(const struct pxe_api *a, const void *block)
{
    return a->tftp_open && ((const struct pxe_file_head *)block)->handle == HANDLE;
}

// A text that ends in the program's memory, whose end need not be far.
static unsigned take_text(uint32_t address, char text[URL_MAX])
{
    for (unsigned i = 0; i < URL_MAX; i++)
        if (pxe_api_copy(address + i, text + i, 1, false))
            return PXE_FAILURE;
        else if (!text[i])
            return PXE_SUCCESS;
    return PXE_FAILURE;
}

unsigned pxe_api_file_open(struct pxe_api *a, void *block)
{
    struct pxe_file_open *b = block;
    struct net_addr server;
    char text[URL_MAX], name[PXE_FILENAME_MAX];
    uint16_t port;
    if (a->tftp_open)
        return PXE_OUT_OF_RESOURCES;
    if (take_text(pxe_api_address(&b->name), text) || uri_parse(text, &a->uri) || strcmp(a->uri.scheme, "tftp") != 0 ||
        !net_addr_parse(a->uri.host, strlen(a->uri.host), &server) || !net_addr_is_v4(&server) || uri_path_name(&a->uri, name, sizeof name) < 0)
        return PXE_FAILURE;
    store16_be(&port, a->uri.port);
    b->handle = HANDLE;
    return pxe_api_open_blocks(a, server.ip + 12, port, name, TFTP_BLOCK_SIZE);
}

unsigned pxe_api_file_close(struct pxe_api *a, void *block)
{
    return is_open(a, block) ? pxe_api_tftp_close(a, NULL) : PXE_FAILURE;
}

// Reading waits for what is not there.
unsigned pxe_api_file_select(struct pxe_api *a, void *block)
{
    ((struct pxe_file_select *)block)->ready = PXE_FILE_READY;
    return is_open(a, block) ? PXE_SUCCESS : PXE_FAILURE;
}

// At the end there are no bytes.
unsigned pxe_api_file_read(struct pxe_api *a, void *block)
{
    struct pxe_file_read *b = block;
    if (!is_open(a, block))
        return PXE_FAILURE;
    uint16_t size = b->size;
    unsigned status = pxe_api_read_on(a, &b->buffer, &size);
    b->size = size;
    if (status != PXE_TFTP_CANNOT_READ || !a->tftp_open)
        return status;
    b->size = 0;
    return PXE_SUCCESS;
}

unsigned pxe_api_file_size(struct pxe_api *a, void *block)
{
    struct pxe_file_size *b = block;
    b->size = (uint32_t)a->tftp.size;
    return is_open(a, block) && b->size && b->size == a->tftp.size ? PXE_SUCCESS : PXE_FAILURE; // 0: the server did not tell
}

unsigned pxe_api_file_check(struct pxe_api *a, void *block)
{
    struct pxe_file_check *b = block;
    if (b->magic != PXE_FILE_MAGIC_IN || b->size < sizeof *b)
        return PXE_BAD_FUNC;
    *b = (struct pxe_file_check){
        .size = sizeof *b,
        .magic = PXE_FILE_MAGIC_OUT,
        .provider = PROVIDER,
        .functions = SERVED(PXENV_FILE_OPEN) | SERVED(PXENV_FILE_CLOSE) | SERVED(PXENV_FILE_SELECT) | SERVED(PXENV_FILE_READ) |
                     SERVED(PXENV_FILE_GET_SIZE) | SERVED(PXENV_FILE_API_CHECK),
    };
    return PXE_SUCCESS;
}
