process.stdout.write("deltaflash\n");
