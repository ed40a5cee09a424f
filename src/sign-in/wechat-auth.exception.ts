import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import { type Answer, HttpExchanges } from './http-exchange.js';

/**
 * How the guard answers instead of the handler. A guard has no other way to than to throw; the headers are set
 * before, so that a redirect works even through a filter of the host's that catches everything.
 */
export class WechatAuthException extends HttpException {
  constructor(readonly answer: Answer) {
    super(answer.kind === 'problem' ? answer.body : `WeChat sign-in: ${answer.kind}`, answer.status);
    // Nest finds no text in a problem's body; the host's filters and logs show this one.
    if (answer.kind === 'problem') this.message = answer.body.title;
  }
}

/** Writes the answer, also where it is a page. */
@Catch(WechatAuthException)
export class WechatAuthExceptionFilter implements ExceptionFilter<WechatAuthException> {
  constructor(@Inject(HttpExchanges) private readonly exchanges: HttpExchanges) {}

  catch({ answer }: WechatAuthException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.exchanges.of(http.getRequest(), http.getResponse()).sendBodyOf(answer);
  }
}
