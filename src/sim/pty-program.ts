/** The helper program that owns a pty, in Python's standard library alone: Node has no call for ptys or for their bit rate. */

/**
 * Run by `python3 -c`. Its standard input is what the board says, raw; its standard output are the frames of
 * `pty-frames.ts`. Ends when its input ends. While no program has the slave open it only waits for one, and what the board
 * says is lost, as on a port that nobody listens to.
 */
export const ptyProgram = `
import fcntl, os, select, signal, struct, termios, tty

TCGETS2 = 0x802C542A  # linux/asm-generic/ioctls.h; gives rates that are in no table
IDLE_MS = 20
BUSY_MS = 2
CHUNK = 32768

signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end comes by the end of the input
os.set_blocking(1, True)
master, slave = os.openpty()
path = os.ttyname(slave)
tty.setraw(slave)
settings = termios.tcgetattr(slave)
settings[4] = settings[5] = termios.B115200
termios.tcsetattr(slave, termios.TCSANOW, settings)
os.close(slave)
os.set_blocking(master, False)

constants = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}

def send(kind, data=b""):
    rest = kind + struct.pack(">H", len(data)) + data
    while rest:
        rest = rest[os.write(1, rest):]

def current_rate():  # asked of the master, answered for the slave
    try:
        return struct.unpack_from("I", fcntl.ioctl(master, TCGETS2, bytes(44)), 40)[0]
    except OSError:
        return constants.get(termios.tcgetattr(master)[5], 0)

def report_rate():
    global rate
    now = current_rate()
    if now != rate:
        rate = now
        send(b"B", struct.pack(">I", rate))

def read_client():
    try:
        data = os.read(master, CHUNK)
    except OSError:  # nothing there, or the client has just gone
        return False
    report_rate()
    if data:
        send(b"D", data)
    return len(data) > 0

def forget_unread():
    again = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    termios.tcflush(again, termios.TCIFLUSH)
    os.close(again)

rate = 0
client = False
waiting = b""
watch_master = select.poll()
watch_master.register(master, select.POLLIN)
watch = select.poll()
send(b"P", os.fsencode(path))
while True:
    watch.register(0, 0 if waiting else select.POLLIN)
    if client:
        watch.register(master, select.POLLIN | (select.POLLOUT if waiting else 0))
    events = dict(watch.poll(BUSY_MS if client else IDLE_MS))
    if events.get(0, 0):
        said = os.read(0, CHUNK) if not waiting else b""
        if not said and (not waiting or events[0] & (select.POLLHUP | select.POLLERR)):
            break
        if client:
            waiting += said
    was, client = client, not any(state & select.POLLHUP for _, state in watch_master.poll(0))
    if client and not was:
        send(b"O")
    if client or was:
        report_rate()
        while read_client():
            pass
    if was and not client:
        waiting = b""
        watch.unregister(master)
        forget_unread()
        send(b"C")
    if waiting:
        try:
            waiting = waiting[os.write(master, waiting):]
        except OSError:  # full for now, or gone
            pass
`;
