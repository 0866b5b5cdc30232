// SPDX-License-Identifier: MIT
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketOption;
import java.util.Comparator;
import java.util.TreeSet;

/* Each option of a new, a connected and an accepted socket: what it has, set and read. */
class Options {
	interface Action {
		Object run() throws Exception;
	}

	static void show(String what, Action action) {
		try {
			System.out.println(what + " " + action.run());
		} catch (Exception e) {
			System.out.println(what + " " + e);
		}
	}

	@SuppressWarnings("unchecked")
	static void set(Socket s, SocketOption<?> option) throws Exception {
		if (option.type() == Boolean.class)
			s.setOption((SocketOption<Boolean>) option, true);
		else if (option.type() == Integer.class)
			s.setOption((SocketOption<Integer>) option, 4);
	}

	static void all(Socket s) {
		var options = new TreeSet<SocketOption<?>>(Comparator.comparing(SocketOption::name));

		show("in line", () -> { s.setOOBInline(true); return s.getOOBInline(); });
		show("class", () -> { s.setTrafficClass(16); return s.getTrafficClass(); });
		show("no delay", () -> { s.setTcpNoDelay(true); return s.getTcpNoDelay(); });
		show("linger", () -> { s.setSoLinger(true, 5); return s.getSoLinger(); });
		show("reuse", () -> { s.setReuseAddress(true); return s.getReuseAddress(); });
		options.addAll(s.supportedOptions());
		for (var option : options) {
			if (option.name().equals("SO_INCOMING_NAPI_ID"))
				continue;
			show("set " + option.name(), () -> { set(s, option); return s.getOption(option); });
		}
	}

	public static void main(String[] args) throws Exception {
		var listener = new ServerSocket(0);
		var s = new Socket();

		all(s);
		s.connect(new InetSocketAddress(args[0], Integer.parseInt(args[1])));
		all(s);
		s.getOutputStream().write(66);
		System.out.println(s.getInputStream().read());
		Thread.sleep(1000);
		new Socket("localhost", listener.getLocalPort());
		all(listener.accept());
	}
}
