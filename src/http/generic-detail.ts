/** What helps with a problem of this status when nobody knows anything better. */
const BY_STATUS: Readonly<Record<number, string | undefined>> = {
  400: 'Correct the request, and send it again.',
  401: 'Sign in, and send the access token as "Authorization: Bearer …".',
  403: 'Nothing was changed. An administrator can tell who may do this.',
  404: 'It does not exist, or you may not know of it.',
  405: 'The header "Allow" names the methods that the path takes.',
  406: 'Name another media type in "Accept", or leave the header out.',
  408: 'Send the request again, all at once.',
  409: 'Read what is there now, and decide again.',
  412: 'Read the resource again, and repeat the change on what it is now.',
  413: 'Send less at once.',
  414: 'Shorten the URL.',
  415: 'Send the body in another form.',
  422: 'Correct the values, and send the request again.',
  428: 'Read the resource first, and send its ETag in "If-Match".',
  429: 'Wait for as many seconds as "Retry-After" says.',
  431: 'Send fewer or shorter headers.',
  500: 'It has been recorded under the requestId.',
  503: 'Please try again later.',
  507: 'Nothing was changed. The operator has to make room.',
};

export function genericDetail(status: number): string {
  return BY_STATUS[status] ?? 'Nothing was changed.';
}
