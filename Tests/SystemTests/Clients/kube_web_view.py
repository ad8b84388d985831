"""kube-web-view as Sallyport's users have it: each request is made with the token that came with it.

Usage: kube_web_view.py PORT SERVER.pem SERVER.key API-URL API-CA.pem

Serves on 127.0.0.1 by TLS until it is ended. The program itself knows a token of its own, or one of a session that it begins with an
identity provider. Here it has neither, and keeps nothing: what a request may ask the API for is what its `Authorization` may.
"""

import contextvars
import ssl
import sys

import aiohttp.web
from kube_web import cluster_discovery, cluster_manager, kubernetes, main, web
from pykube import HTTPClient, KubeConfig
from requests.auth import AuthBase

port, certificate, key, api, authority = sys.argv[1:6]
authorization = contextvars.ContextVar("authorization", default=None)


class ByToken(AuthBase):
    """The field of the present request, for all that is asked on its behalf, in whatever thread. pykube's own would be nobody's."""

    def __init__(self):
        self._value = authorization.get()
        if not self._value:
            raise aiohttp.web.HTTPUnauthorized(text="No token came with the request.")

    def __call__(self, request):
        request.headers["Authorization"] = self._value
        return request


class AsUser:
    """A client of the API that asks as the user of the present request."""

    def __init__(self, base):
        self._base = base
        self._auth = ByToken()

    def __getattr__(self, name):
        return getattr(self._base, name)

    def get(self, *args, **kwargs):
        return self._base.get(*args, **{**kwargs, "auth": self._auth})


class OneCluster:
    def __init__(self):
        config = KubeConfig({
            "clusters": [{"name": "gateway", "cluster": {"server": api, "certificate-authority": authority}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "gateway", "context": {"cluster": "gateway", "user": "nobody"}}],
            "current-context": "gateway",
        })
        self.cluster = cluster_discovery.Cluster("gateway", HTTPClient(config))

    def get_clusters(self):
        return [self.cluster]


@aiohttp.web.middleware
async def by_the_users_token(request, handler):
    authorization.set(request.headers.get("Authorization"))
    return await handler(request)


def wrap_query(query, request, session):
    query.api = AsUser(query.api)
    return query


web.wrap_query = wrap_query
# What resource types there are is asked as the user, too.
asked = kubernetes.api_get


async def api_get(client, **kwargs):
    return await asked(client, **{**kwargs, "auth": ByToken()})


kubernetes.api_get = api_get
app = web.get_app(cluster_manager.ClusterManager(OneCluster(), {}, None, {}), main.parse_args([]))
app.middlewares.insert(0, by_the_users_token)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
aiohttp.web.run_app(app, host="127.0.0.1", port=int(port), ssl_context=context, access_log=None)
