/* The flash controller's user commands, for spi.c and spi-write.c. Numbers: soc/spi_reg.h, spi_mem_reg.h. */
#ifndef SPI_H
#define SPI_H

#include <stdint.h>

#define PHASE_COMMAND (1u << 31)
#define PHASE_ADDRESS (1u << 30)
#define PHASE_DUMMY (1u << 29)
#define PHASE_IN (1u << 28)
#define PHASE_OUT (1u << 27)

/* Begins it. `count` bytes go out or come in. */
void spi_begin(uint32_t phases, uint32_t opcode, uint32_t address, uint32_t count);
/* Until it is done. */
void spi_end(void);
void spi_command(uint32_t phases, uint32_t opcode, uint32_t address, uint32_t count);
/* A command with nothing but bytes that come in, at most 3, the first lowest. */
uint32_t spi_ask(uint32_t opcode, uint32_t count);

#endif
