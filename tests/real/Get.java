// SPDX-License-Identifier: MIT
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class Get {
	public static void main(String[] args) throws Exception {
		var request = HttpRequest.newBuilder(URI.create(args[0])).build();
		var reply = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofByteArray());
		System.out.println(reply.statusCode() + " " + reply.body().length);
	}
}
